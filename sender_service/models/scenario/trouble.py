"""Trouble of firings, as a list of scenarios shows it: why pushes were not sent, and of how many. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.usual_outcomes import USUAL_OUTCOMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Reason for which a firing's pushes were not sent; `people`: how many, None if nobody was left."""

    firing: Firing
    why: str
    people: int | None = None


def trouble_of(firing: Firing) -> Trouble | None:
    """Return the firing's trouble: what most of its people have."""
    if firing.state == "late":
        return Trouble(firing=firing, why=firing.state)
    found = {why: count for why, count in firing.counts.items() if why not in USUAL_OUTCOMES}
    if not found:
        return None
    why = max(found, key=lambda one: (found[one], one))
    return Trouble(firing=firing, why=why, people=found[why])
