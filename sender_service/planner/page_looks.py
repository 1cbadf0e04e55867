"""Looks at a scenario's people that a page keeps: what pushes are about, runs, who isn't in it and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import ItemClaim, Run
from sender_service.pages.document import PageDocument, StoredClaim


@dataclass(slots=True)
class PageLooks:
    """Looks of one page. `about`: by member; `runs`: by person, that her push begins.

    `refused`: people whom the clock enters not, or not yet: they are counted, and in no page.
    """

    about: dict[str, list[StoredClaim]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def take(self, look: PushLook | None, *, is_counted: bool) -> bool:
        """Keep the look; return False where its person isn't to be in the page."""
        if look is None:
            return True
        if look.refused is not None:
            self.refused[look.refused] += is_counted
            return False
        if look.run is not None:
            self.runs[look.run.person] = look.run
        return True

    def note_claims(self, member: int, look: PushLook, *, shows: bool) -> tuple[ItemClaim, ...]:
        """Note what the member's push is about; return what its texts show of it."""
        about = look.about if shows else look.without_prices
        self.about[str(member)] = [[one.item, one.price] for one in about]
        return look.about if shows else ()

    def runs_of(self, people: Iterable[str]) -> list[Run]:
        return [self.runs[person] for person in people if person in self.runs]

    def write(self, document: PageDocument) -> None:
        """Write them into the page, where there are any."""
        if self.about:
            document["about"] = self.about
        if self.refused:
            document["refused"] = dict(self.refused)


def held_out(members: Collection[list[str]], outcomes: dict[str, list[str]]) -> set[str]:
    """Return the persons of the page's members that are held out."""
    return {
        member[1]
        for index, member in enumerate(members)
        if outcomes.get(str(index), ["", ""])[1] == "holdout"
    }
