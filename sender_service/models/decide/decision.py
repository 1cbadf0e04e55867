"""Decisions about a person, each with the rules that led to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from sender_service.models.scenario.run import EndReason, ItemClaim
from shared.reasons import NotApplicable

Stage = Literal["entry", "wake", "planning", "release"]
RefuseReason = Literal[
    "deleted", "off", "repeat", "waiting", "full", "again", "emptied", "bought", "clicked", "late",
    "if",
]  # fmt: skip
SkipReason = Literal[
    "deleted", "off", "over", "late", "gone", "outranked", "only", "nothing_to_offer",
    "bought_item", "out_of_stock", "stale", "price_changed",
]  # fmt: skip
# Reasons that are details of their own; all others are `exited`.
_DETAILS: dict[str, NotApplicable] = {one: one for one in get_args(NotApplicable)}


class Check(NamedTuple):
    """Rule as it was applied; `ok`: it stopped nothing."""

    rule: str
    ok: bool
    detail: str


Trace = tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traced:
    trace: Trace = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Enter(_Traced):
    """Begin a run, whose first step is due then."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Wait(_Traced):
    """Look again then, later than now."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Push(_Traced):
    """Push the step. Only planning chooses what it is about, and gives variables."""

    about: tuple[ItemClaim, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skip(_Traced):
    """Leave the step out. `basis`: when it would have been pushed, for the next one's wait."""

    step: str
    why: SkipReason
    basis: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class End(_Traced):
    """End the run."""

    why: EndReason


@dataclass(frozen=True, slots=True)
class Refuse(_Traced):
    """Begin no run."""

    why: RefuseReason


Decision = Enter | Wait | Push | Skip | End | Refuse


def why_not_applicable(decision: Decision) -> NotApplicable | Literal["bought"] | None:
    """Return why a planned push isn't released, by a decision of planning or release; None: it is."""
    match decision:
        case Push() | Enter():
            return None
        case Wait():
            return "active"  # the only wait of these stages is for her silence
        case End("bought") | Refuse("bought"):
            return "bought"
        case _:
            return _DETAILS.get(decision.why, "exited")
