"""Runs: a person's way through a scenario, from her entry to its end. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

EndReason = Literal["bought", "emptied", "clicked", "done", "deleted", "merged", "ended", "erased"]
MAX_STEPS_KEPT = 20  # pushes, and skipped steps, that a run keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Fact or occurrence by which a person enters. `count`: different items that made her enter.

    `key` keeps runs of one scenario apart: an order, or a value of the shop's own event.
    """

    at: datetime
    event: str
    count: int = 1
    items: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPush:
    """Push of a run; `firing` is its send. `items`: those that it was about."""

    step: str
    firing: str
    at: datetime
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Click on a push; `send` is its firing, for a scenario's."""

    send: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedStep:
    step: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """End of a run; `at` is the fact's time where a fact ended it."""

    why: EndReason
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A person's n-th run of a scenario and key. Only the last may wait.

    `step` comes next, None behind the last one. `basis` is what its wait counts from. `due`: when
    the run is looked at again. `again_days`: as long after its end it is kept at least, for the
    person may not enter again before.
    """

    app: str
    scenario: str
    person: str
    version: int
    entry: Entry
    step: str | None
    basis: datetime
    due: datetime
    n: int = 1
    ended: RunEnd | None = None
    pushes: tuple[RunPush, ...] = ()
    skipped: tuple[SkippedStep, ...] = ()
    again_days: int = 0
    rev: int = 0

    @property
    def id(self) -> str:
        key = [] if self.entry.key is None else [self.entry.key]
        return ":".join([self.app, self.scenario, self.person, *key, str(self.n)])

    @property
    def state(self) -> Literal["waiting", "over"]:
        return "waiting" if self.ended is None else "over"

    @property
    def last_push(self) -> datetime | None:
        return max((push.at for push in self.pushes), default=None)

    def with_push(self, push: RunPush) -> Run:
        return replace(self, pushes=(*self.pushes, push)[-MAX_STEPS_KEPT:])

    def with_skipped(self, step: SkippedStep) -> Run:
        return replace(self, skipped=(*self.skipped, step)[-MAX_STEPS_KEPT:])


class DueRun(NamedTuple):
    """Run that is due, as far as it was read."""

    id: str
    version: int
    due: datetime


def scenario_of(run: str) -> str:
    """Return the scenario of a run's id."""
    return run.split(":", 2)[1]


def person_of(run: str) -> str:
    """Return the person of a run's id."""
    return run.split(":", 3)[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemClaim:
    """Item that a push is about, with the price that it states; None: no price that may change."""

    item: str
    price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredStep:
    """Step that a firing pushes: planned, and looked at again before its release.

    `run` is the entry alone where the clock pushes without a run. It may have gone on meanwhile.
    """

    run: Run | Entry
    step: str
    about: tuple[ItemClaim, ...] = ()
