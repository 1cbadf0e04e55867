"""One received event as an `Event` of the log, or why not. Pure but for ids it must assign."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from ingest_service.batch import check_event, check_numbers
from ingest_service.clocks import correct
from ingest_service.identify import LoginProof
from ingest_service.normalise import without_blanks
from ingest_service.schemas import KNOWN, Envelope, Identify, Interaction, OneSignalStatus
from shared.clock import as_utc
from shared.errors import FieldError, InvalidPayload
from shared.models.app import App
from shared.models.event import Source
from shared.models.wire import invalid_payload

# A model's isinstance goes through its metaclass: most events are spared it.
SPECIAL = frozenset({Identify, OneSignalStatus, Interaction})


class Arrival(NamedTuple):
    """What all events of one request have in common."""

    app: App
    source: Source
    received_at: datetime
    clock_error: timedelta
    size: int
    crawler: bool


class Accepted(NamedTuple):
    """An event as it goes to the log. `warnings` name the parts of it that were left out."""

    id: str
    type: str
    key: str
    value: bytes
    warnings: tuple[FieldError, ...] = ()


class Judge:
    """Validates events one by one."""

    def __init__(
        self, proof: LoginProof, new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    ) -> None:
        self._proof = proof
        self._new_id = new_id

    def judge(self, raw: Any, arrival: Arrival) -> Accepted:
        """Raises InvalidPayload."""
        envelope = self._envelope(check_event(raw, arrival.size))
        known = KNOWN.get(envelope.type)
        if known is None:
            check_numbers(envelope.data)
            return self._accept(envelope, envelope.data, None, arrival)
        shape = _validated(known, envelope.data)
        data = shape.model_dump(by_alias=True, exclude_none=True)
        if known not in SPECIAL:
            return self._accept(envelope, data, None, arrival)
        if isinstance(shape, OneSignalStatus | Interaction):
            return self._accept(envelope, data, shape.player_id, arrival)
        proof = envelope.data.get("loginHash")
        data, warning = self._proof.apply(arrival.app, arrival.source, data, proof)
        event = self._accept(envelope, data, None, arrival)
        return event if warning is None else event._replace(warnings=(warning,))

    def _accept(
        self, envelope: Envelope, data: dict[str, Any], player: str | None, arrival: Arrival
    ) -> Accepted:
        """What `Event.dump` says, at a third of its cost: all that it would validate is valid."""
        occurred = envelope.occurred_at and _utc(envelope.occurred_at)
        occurred = correct(occurred, arrival.clock_error, arrival.received_at)
        id_ = envelope.id or self._new_id()
        told: dict[str, Any] = {
            "v": 1,
            "app": arrival.app.id,
            "id": id_,
            "type": envelope.type,
            "source": arrival.source,
            "visitorId": envelope.visitor_id,
            "occurredAt": occurred,
            "receivedAt": arrival.received_at,
            "data": data,
        }
        if player is not None:
            told["playerId"] = player
        if page := _told(envelope.page):
            told["page"] = page
        if context := _context(envelope.context, arrival):
            told["context"] = context
        return Accepted(
            id_, envelope.type, envelope.visitor_id, orjson.dumps(told, option=orjson.OPT_UTC_Z)
        )

    @staticmethod
    def _envelope(raw: dict[str, Any]) -> Envelope:
        try:
            return Envelope.model_validate(raw)
        except ValidationError as exc:
            raise _refused(exc) from exc
        except OverflowError as exc:  # a date beyond what a date can be
            raise InvalidPayload("occurredAt: must be a date and time") from exc


def _validated(model: type[BaseModel], data: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(data)
    except ValidationError:
        pass
    try:  # a shop's template says `""` for what it hasn't got; few do, so only they pay for it
        return model.model_validate(without_blanks(data))
    except ValidationError as exc:
        raise _refused(exc, prefix="data.") from exc


def _refused(exc: ValidationError, prefix: str = "") -> InvalidPayload:
    """The first finding's own code, so that an item's `code` says what is wrong with it."""
    error = invalid_payload(exc, prefix=prefix)
    error.code = error.errors[0].code
    return error


def _told(part: BaseModel | None) -> dict[str, Any]:
    """What is in it: strings as they came, so there is nothing to be dumped."""
    return {} if part is None else {k: v for k, v in part.__dict__.items() if v is not None}


def _context(part: BaseModel | None, arrival: Arrival) -> dict[str, Any]:
    """The mark is ours to make: a sender's own `crawler` was dropped with what isn't declared."""
    told = _told(part)
    return {**told, "crawler": True} if arrival.crawler else told


def _utc(moment: datetime) -> datetime:
    """A moment near the ends of the calendar may not exist in UTC."""
    try:
        return as_utc(moment)
    except OverflowError as exc:
        error = FieldError("occurredAt", "out_of_range", "is beyond the years 1 to 9999")
        raise InvalidPayload(f"occurredAt: {error.message}", errors=(error,)) from exc
