"""The collector: validates events, publishes them, and then returns a receipt."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from ingest_service.collect.batch import Batch
from ingest_service.collect.event_schemas import EVENT_MODELS
from ingest_service.collect.event_validator import AcceptedEvent, EventValidator, RequestContext
from ingest_service.collect.ordering import make_times_rise
from ingest_service.collect.unknown_keys import add_hints
from ingest_service.parsing.event_time import clock_skew
from shared import metrics
from shared.clock import Clock
from shared.errors import FieldError, InvalidPayload
from shared.events.registry import STREAM
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC
from shared.models.app import App
from shared.models.event import Event, Source
from shared.models.strict import MAX_FINDINGS

log = logging.getLogger("carillon.ingest")

TOPIC = EVENTS_TOPIC.name
COUNTED_EVENT_TYPES = frozenset(
    {*EVENT_MODELS, STREAM}
)  # other types are counted as "custom": a label's values must stay bounded


_counted = lru_cache(1_024)(metrics.EVENTS_ACCEPTED.labels)  # a look-up by labels takes a lock


class EventLog(Protocol):
    """The durable log of events. `publish` returns once they are stored; it raises LogUnavailable."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> None: ...


@dataclass(frozen=True)
class RejectedEvent:
    """An event of a request that was not accepted."""

    index: int
    error: InvalidPayload

    def report(self) -> dict[str, object]:
        return {"index": self.index, "code": self.error.code, "message": self.error.message}


@dataclass(frozen=True)
class FieldWarning:
    """A field that an accepted event of a request was stored without."""

    index: int
    error: FieldError

    def report(self) -> dict[str, object]:
        error = self.error
        return {
            "index": self.index,
            "field": error.field,
            "code": error.code,
            "message": error.message,
        }


class Receipt(NamedTuple):
    accepted: int
    rejected: Sequence[RejectedEvent]
    warnings: Sequence[FieldWarning] = ()


class Collector:
    """The only way of received events to the topic `carillon.events`."""

    def __init__(self, events: EventLog, validator: EventValidator, clock: Clock) -> None:
        self._events = events
        self._validator = validator
        self._clock = clock

    async def collect(
        self, app: App, source: Source, batch: Batch, *, crawler: bool = False
    ) -> Receipt:
        """Store a batch's valid events.

        Raises InvalidPayload where no event is valid, LogUnavailable where none is stored.
        """
        events, refused, warnings = self._validate_all(app, source, batch, crawler=crawler)
        for refusal in refused:
            metrics.EVENTS_REJECTED.labels(refusal.error.code).inc()
        if not events:
            raise _all_refused(refused)
        for warning in warnings:
            metrics.EVENTS_WARNED.labels(app.id, warning.error.code).inc()
        if len(events) > 1:
            make_times_rise(event.fields for event in events.values())
        records = [OutgoingRecord(TOPIC, e.key, e.value, e.type) for e in events.values()]
        await self._store(app.id, records, events)
        return Receipt(len(events), refused, warnings)

    def check(self, app: App, source: Source, batch: Batch) -> Receipt:
        """Return the receipt that the events would get; store and count nothing."""
        events, refused, warnings = self._validate_all(app, source, batch, crawler=False)
        return Receipt(len(events), refused, warnings)

    async def store(self, event: Event) -> None:
        """Publish a valid event. Raises LogUnavailable."""
        await self._store(
            event.app, [OutgoingRecord(TOPIC, event.key, event.dump(), event.type)], [event.id]
        )

    async def _store(self, app: str, records: Sequence[OutgoingRecord], ids: Iterable[str]) -> None:
        await self._events.publish(records)
        counts: dict[str, int] = {}
        for event in records:
            kind = event.type if event.type in COUNTED_EVENT_TYPES else "custom"
            counts[kind] = counts.get(kind, 0) + 1
        for kind, count in counts.items():
            _counted(app, kind).inc(count)
        if log.isEnabledFor(logging.DEBUG):
            for name, record in zip(ids, records, strict=True):
                fields = {"event": name, "app": app, "type": record.type}
                log.debug("event accepted", extra=fields)

    def _validate_all(
        self, app: App, source: Source, batch: Batch, *, crawler: bool
    ) -> tuple[dict[str, AcceptedEvent], list[RejectedEvent], list[FieldWarning]]:
        """Return the accepted events by id, the rejected ones, and the fields left out."""
        received = self._clock()
        error = clock_skew(batch.sent_at, received)
        arrival = RequestContext(app, source, received, error, batch.size, batch.brackets, crawler)
        accepted: dict[str, AcceptedEvent] = {}
        refused: list[RejectedEvent] = []
        warned: list[FieldWarning] = []
        for index, raw in enumerate(batch.events):
            try:
                event = self._validator.validate(raw, arrival)
                if event.id in accepted:
                    raise InvalidPayload(
                        "id: another event of this request has it", code="duplicate_id"
                    )
            except InvalidPayload as exc:
                refused.append(RejectedEvent(index, exc))
            else:
                accepted[event.id] = event
                if event.warnings:
                    warned += [FieldWarning(index, error) for error in event.warnings]
        if batch.notes or warned:
            warned = _with_hints(batch, warned, refused)
        return accepted, refused, warned


def _with_hints(
    batch: Batch, warnings: Sequence[FieldWarning], refused: Sequence[RejectedEvent]
) -> list[FieldWarning]:
    """Add the batch's own warnings to the first accepted event, and hints of nearest names."""
    out = {one.index for one in refused}
    first = next((index for index in range(len(batch.events)) if index not in out), 0)
    found = [*(FieldWarning(first, error) for error in batch.notes), *warnings]
    hints = add_hints(one.error for one in found)
    return (
        [FieldWarning(one.index, hints.get(one.error, one.error)) for one in found]
        if hints
        else found
    )


def _all_refused(refused: Sequence[RejectedEvent]) -> InvalidPayload:
    """Build the error of a batch without valid events: the first findings, and a count of the rest."""
    found = [(r.index, e) for r in refused for e in _findings(r.error)]
    errors = [
        FieldError(f"events.{index}.{e.field}".rstrip("."), e.code, e.message)
        for index, e in found[:MAX_FINDINGS]
    ]
    first, more = refused[0].error, len(found) - len(errors)
    message = f"{first.message} ({more} more are not listed)" if more else first.message
    return InvalidPayload(message, code=first.code, errors=errors)


def _findings(error: InvalidPayload) -> Sequence[FieldError]:
    return error.errors or (FieldError("", error.code, error.message),)
