"""Person: all that a decision reads of her. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter

from sender_service.models.scenario.run import Click, Entry, Run
from shared.documents.profile import Basket, BasketLine, Profile

Order = tuple[str, datetime, list[BasketLine]]
ITEM, ORDER = itemgetter("item"), itemgetter("id", "at", "items")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Profile of a person, her runs of all scenarios, and her clicks.

    `pushed`: further scenario pushes, as `contacts` has them; the clock's may have no run.
    """

    profile: Profile
    runs: tuple[Run, ...] = ()
    clicks: tuple[Click, ...] = ()
    pushed: tuple[datetime, ...] = ()

    @classmethod
    def of(
        cls,
        profile: Profile,
        runs: Iterable[Run] = (),
        clicks: Iterable[Click] = (),
        pushed: Iterable[datetime] = (),
    ) -> Person:
        return cls(profile=profile, runs=tuple(runs), clicks=tuple(clicks), pushed=tuple(pushed))

    @property
    def id(self) -> str:
        return self.profile["_id"]

    @property
    def seen_at(self) -> datetime:
        return self.profile["lastSeenAt"]

    @property
    def zone(self) -> str | None:
        return self.profile["timeZone"]

    @property
    def basket(self) -> Basket:
        return self.profile["basket"]

    @property
    def basket_items(self) -> set[str]:
        return set(map(ITEM, self.basket["items"]))

    @property
    def basket_since(self) -> datetime | None:
        """Return when the basket's lines changed last."""
        return self.basket["since"]

    def free_from(self, now: datetime, gap: timedelta) -> datetime:
        """Return from when on, now or later, no scenario push of hers is closer than the gap.

        Some are later than now: they wait for the morning.
        """
        pushes = (*(run.last_push for run in self.runs), *self.pushed)
        free = now
        for at in sorted(at for at in pushes if at is not None):
            if at - gap < free < at + gap:
                free = at + gap
        return free

    def runs_of(self, scenario: str) -> list[Run]:
        return [run for run in self.runs if run.scenario == scenario]

    def waiting_runs(self) -> list[Run]:
        """Return her waiting runs, without those of persons that were merged into her."""
        return [run for run in self.runs if run.ended is None and run.person == self.id]

    def stray_runs(self) -> list[Run]:
        """Return waiting runs of persons that were merged into her."""
        return [run for run in self.runs if run.ended is None and run.person != self.id]

    def with_push(self, at: datetime) -> Person:
        return replace(self, pushed=(*self.pushed, at))

    def with_run(self, run: Run) -> Person:
        """Return the person with this run, in the place of its earlier state."""
        return replace(self, runs=(*(one for one in self.runs if one.id != run.id), run))

    def orders(self) -> Iterator[Order]:
        """Yield the id, the time and the lines of each of her orders, newest first."""
        return map(ORDER, self.profile["purchases"])

    def has_ordered_since(self, entry: Entry) -> bool:
        """Return whether there is an order since an entry, but for the one that is the entry."""
        return any(True for _ in self.orders_since(entry))

    def orders_since(self, entry: Entry) -> Iterator[datetime]:
        """Yield the times of her orders since an entry, but of the one that is the entry."""
        return (at for id, at, _ in self.orders() if at >= entry.at and id != entry.key)

    def items_bought(self, since: datetime | None = None) -> set[str]:
        """Return the items of her purchases, of those since a moment."""
        return {
            ITEM(line)
            for _, at, lines in self.orders()
            if since is None or at >= since
            for line in lines
        }
