"""Takes events in: judges them, publishes them, and only then says that they are accepted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from ingest_service.batch import Batch
from ingest_service.clocks import clock_error
from ingest_service.judge import Accepted, Arrival, Judge
from ingest_service.schemas import KNOWN
from shared import metrics
from shared.clock import Clock
from shared.errors import FieldError, InvalidPayload
from shared.kafka import Outgoing
from shared.models.app import App
from shared.models.event import STREAM, Event, Source
from shared.topics import EVENTS

log = logging.getLogger("carillon.ingest")

TOPIC = EVENTS.name
MAX_WARNINGS = 100  # of a request, in its answer; the counter has all of them
COUNTED = frozenset(
    {*KNOWN, STREAM}
)  # other types are counted as "custom": a label must stay bounded


_counted = lru_cache(1_024)(metrics.EVENTS_ACCEPTED.labels)  # a look-up by labels takes a lock


class EventLog(Protocol):
    """Where events are stored for good. Returns when they are; raises LogUnavailable."""

    async def publish(self, records: Sequence[Outgoing]) -> None: ...


@dataclass(frozen=True)
class Refusal:
    """An event of a request that is not accepted."""

    index: int
    error: InvalidPayload

    def report(self) -> dict[str, object]:
        return {"index": self.index, "code": self.error.code, "message": self.error.message}


@dataclass(frozen=True)
class Warned:
    """A part of an accepted event that was left out of it."""

    index: int
    finding: FieldError

    def report(self) -> dict[str, object]:
        found = self.finding
        return {"index": self.index, "field": found.field, "code": found.code,
                "message": found.message}  # fmt: skip


class Receipt(NamedTuple):
    """`warned` holds the first MAX_WARNINGS."""

    accepted: int
    rejected: Sequence[Refusal]
    warned: Sequence[Warned] = ()


class Collector:
    """The door to `carillon.events`."""

    def __init__(self, events: EventLog, judge: Judge, clock: Clock) -> None:
        self._events = events
        self._judge = judge
        self._clock = clock

    async def collect(
        self, app: App, source: Source, batch: Batch, *, crawler: bool = False
    ) -> Receipt:
        """Raises InvalidPayload where no event is valid, LogUnavailable where none is stored."""
        received = self._clock()
        error = clock_error(batch.sent_at, received)
        arrival = Arrival(app, source, received, error, batch.size, crawler)
        events, refused, warned = self._judge_all(arrival, batch.events)
        for refusal in refused:
            metrics.EVENTS_REJECTED.labels(refusal.error.code).inc()
        if not events:
            raise _all_refused(refused)
        await self._store(app.id, events)
        for warning in warned:
            metrics.EVENTS_WARNED.labels(app.id, warning.finding.code).inc()
        return Receipt(len(events), refused, warned[:MAX_WARNINGS])

    async def store(self, event: Event) -> None:
        """Publish one that is valid already. Raises LogUnavailable."""
        await self._store(event.app, [Accepted(event.id, event.type, event.key, event.dump())])

    async def _store(self, app: str, events: Sequence[Accepted]) -> None:
        await self._events.publish([Outgoing(TOPIC, e.key, e.value, e.type) for e in events])
        counts: dict[str, int] = {}
        for event in events:
            kind = event.type if event.type in COUNTED else "custom"
            counts[kind] = counts.get(kind, 0) + 1
        for kind, count in counts.items():
            _counted(app, kind).inc(count)
        if log.isEnabledFor(logging.DEBUG):
            for event in events:
                ids = {"event": event.id, "app": app, "type": event.type}
                log.debug("event accepted", extra=ids)

    def _judge_all(
        self, arrival: Arrival, events: Sequence[Any]
    ) -> tuple[list[Accepted], list[Refusal], list[Warned]]:
        accepted: dict[str, Accepted] = {}
        refused: list[Refusal] = []
        warned: list[Warned] = []
        for index, raw in enumerate(events):
            try:
                event = self._judge.judge(raw, arrival)
                if event.id in accepted:
                    raise InvalidPayload(
                        "id: another event of this request has it", code="duplicate_id"
                    )
            except InvalidPayload as exc:
                refused.append(Refusal(index, exc))
            else:
                accepted[event.id] = event
                if event.warnings:
                    warned += [Warned(index, finding) for finding in event.warnings]
        return list(accepted.values()), refused, warned


def _all_refused(refused: Sequence[Refusal]) -> InvalidPayload:
    errors = [
        FieldError(f"events.{r.index}.{found.field}", found.code, found.message)
        for r in refused
        for found in r.error.errors or [FieldError("", r.error.code, r.error.message)]
    ]
    errors = [FieldError(e.field.rstrip("."), e.code, e.message) for e in errors]
    first = refused[0].error
    return InvalidPayload(first.message, code=first.code, errors=errors)
