"""Outcomes of persons in a page: of all players of one, the best counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sender_service.pages.document import MemberState
from sender_service.pages.view import PageView

SENT, HELD_OUT = "sent", "holdout"
NOT_APPLICABLE = "not_applicable"
# A member that is still pending may get its push: that is as good as sent.
_RANKS: dict[MemberState, int] = {"sent": 3, "pending": 3, "failed": 0, "suppressed": 0}


class PersonOutcome(NamedTuple):
    """Outcome of a person: `sent`, or the reason, or its detail. The greater of two counts.

    `items`: those that a push was about.
    """

    rank: int
    why: str
    items: tuple[str, ...] = ()

    @property
    def stays_push(self) -> bool:
        """Return whether the push counts: those held out wait as those do to whom it was sent."""
        return self.why in (SENT, HELD_OUT)


def outcomes_of(page: PageView) -> Iterator[tuple[str, PersonOutcome]]:
    """Yield the person and the outcome of each member that has a person."""
    for index, member in enumerate(page.members):
        if member[1]:
            yield member[1], _outcome_of(page, index)


def _outcome_of(page: PageView, index: int) -> PersonOutcome:
    state, reason = page.outcome(index)
    if reason is None:
        return PersonOutcome(_RANKS[state], SENT, tuple(one.item for one in page.about(index)))
    if reason == HELD_OUT:
        return PersonOutcome(2, HELD_OUT)
    if reason == NOT_APPLICABLE:
        return PersonOutcome(1, page.detail(index) or reason)
    return PersonOutcome(_RANKS[state], reason)
