"""Trouble of firings, as a list of scenarios shows it: why pushes were not sent, and of how many. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from sender_service.models.scenario.firing import Firing
from shared.reasons import NotApplicable, SuppressedReason

# Why the clock doesn't enter somebody, or skips her first step, but for what is the scenario's own doing.
_NO_ENTRY = (
    "entered", "repeat", "waiting", "full", "again", "if", "only", "outranked", "over", "clicked",
)  # fmt: skip
# A person's own reasons; what the shop or the provider has to mend is trouble.
_USUAL: frozenset[str] = frozenset(
    {
        "sent",
        "no_player",
        "invalid_player",
        *_NO_ENTRY,
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


def has_trouble(counts: Mapping[str, int]) -> bool:
    """Return whether a firing with these counts has any."""
    return not _USUAL.issuperset(counts)


def trouble_of(firing: Firing) -> Trouble | None:
    """Return the firing's trouble: what most of its people have."""
    if firing.state == "late":
        return Trouble(firing=firing, why=firing.state)
    found = {why: count for why, count in firing.counts.items() if why not in _USUAL}
    if not found:
        return None
    why = max(found, key=lambda one: (found[one], one))
    return Trouble(firing=firing, why=why, people=found[why])
