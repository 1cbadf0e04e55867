"""Usual outcomes of firings, and whether one had any other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from shared.reasons import NotApplicable, SuppressedReason

# Why the clock doesn't enter somebody, or skips her first step, but for what is the scenario's own doing.
_NO_ENTRY = (
    "entered", "repeat", "waiting", "full", "again", "if", "only", "outranked", "over", "clicked",
)  # fmt: skip
# A person's own reasons; what the shop or the provider has to mend is trouble.
USUAL_OUTCOMES: frozenset[str] = frozenset(
    {
        "sent",
        "no_player",
        "invalid_player",
        *_NO_ENTRY,
        *(set(get_args(SuppressedReason)) - {"refused", "expired"}),
        *get_args(NotApplicable),
    }
)


def has_trouble(counts: Mapping[str, int]) -> bool:
    """Return whether a firing with these counts has any."""
    return not USUAL_OUTCOMES.issuperset(counts)
