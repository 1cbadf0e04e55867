"""Results of firings, as a list of scenarios shows them: how many were sent, and the last trouble. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sender_service.models.scenario.firing import Firing
from shared.reasons import NotApplicable, SuppressedReason

SENT = "sent"
# A person's own reasons; what the shop or the provider has to mend is trouble.
_USUAL: frozenset[str] = frozenset(
    {
        SENT,
        "no_player",
        "invalid_player",
        *(set(get_args(SuppressedReason)) - {"refused", "expired"}),
        *get_args(NotApplicable),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Reason for which a firing's pushes were not sent; `people`: how many, None if nobody was left."""

    firing: Firing
    why: str
    people: int | None = None


def count_sent(firings: Iterable[Firing], since: datetime) -> int:
    """Return to how many people pushes were sent, of firings since a moment that are closed."""
    return sum(one.counts.get(SENT, 0) for one in firings if one.due_at >= since)


def last_trouble(firings: Iterable[Firing]) -> Trouble | None:
    """Return the trouble of the newest firing that has one."""
    for firing in sorted(firings, key=lambda one: (one.due_at, one.id), reverse=True):
        if firing.state == "late":
            return Trouble(firing=firing, why=firing.state)
        found = {why: count for why, count in firing.counts.items() if why not in _USUAL}
        if found:
            why = max(found, key=lambda one: (found[one], one))
            return Trouble(firing=firing, why=why, people=found[why])
    return None
