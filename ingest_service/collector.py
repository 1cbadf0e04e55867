"""Takes events in: judges them, publishes them, and only then says that they are accepted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ingest_service.batch import Batch
from ingest_service.clocks import clock_error
from ingest_service.judge import Arrival, Judge
from ingest_service.schemas import KNOWN
from shared import metrics
from shared.clock import Clock
from shared.errors import FieldError, InvalidPayload
from shared.kafka import Outgoing
from shared.models.app import App
from shared.models.event import STREAM, Event, Source
from shared.topics import EVENTS

log = logging.getLogger("carillon.ingest")

COUNTED = frozenset(
    {*KNOWN, STREAM}
)  # other types are counted as "custom": a label must stay bounded


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
class Receipt:
    accepted: int
    rejected: Sequence[Refusal]


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
        events, refused = self._judge_all(arrival, batch.events)
        for refusal in refused:
            metrics.EVENTS_REJECTED.labels(refusal.error.code).inc()
        if not events:
            raise _all_refused(refused)
        await self.store(events)
        return Receipt(len(events), refused)

    async def store(self, events: Sequence[Event]) -> None:
        """Publish events that are valid already. Raises LogUnavailable."""
        await self._events.publish(
            [Outgoing(EVENTS.name, event.key, event.dump(), event.type) for event in events]
        )
        for event in events:
            kind = event.type if event.type in COUNTED else "custom"
            metrics.EVENTS_ACCEPTED.labels(event.app, kind).inc()
            log.debug(
                "event accepted", extra={"event": event.id, "app": event.app, "type": event.type}
            )

    def _judge_all(
        self, arrival: Arrival, events: Sequence[Any]
    ) -> tuple[list[Event], list[Refusal]]:
        accepted: dict[str, Event] = {}
        refused: list[Refusal] = []
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
        return list(accepted.values()), refused


def _all_refused(refused: Sequence[Refusal]) -> InvalidPayload:
    errors = [
        FieldError(f"events.{r.index}.{found.field}", found.code, found.message)
        for r in refused
        for found in r.error.errors or [FieldError("", r.error.code, r.error.message)]
    ]
    errors = [FieldError(e.field.rstrip("."), e.code, e.message) for e in errors]
    first = refused[0].error
    return InvalidPayload(first.message, code=first.code, errors=errors)
