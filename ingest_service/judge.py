"""One received event as an `Event` of the log, or why not. Pure but for ids it must assign."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from ingest_service.batch import check_event
from ingest_service.clocks import correct
from ingest_service.identify import LoginProof
from ingest_service.schemas import KNOWN, Envelope, Identify, Interaction, OneSignalStatus
from shared.clock import as_utc
from shared.errors import InvalidPayload
from shared.models.app import App
from shared.models.event import Event, Source
from shared.models.wire import invalid_payload


@dataclass(frozen=True)
class Arrival:
    """What all events of one request have in common."""

    app: App
    source: Source
    received_at: datetime
    clock_error: timedelta
    size: int
    crawler: bool


class Judge:
    """Validates events one by one."""

    def __init__(
        self, proof: LoginProof, new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    ) -> None:
        self._proof = proof
        self._new_id = new_id

    def judge(self, raw: Any, arrival: Arrival) -> Event:
        """Raises InvalidPayload."""
        envelope = self._envelope(check_event(raw, arrival.size))
        known = KNOWN.get(envelope.type)
        data = envelope.data
        player: str | None = None
        if known is not None:
            shape = _validated(known, envelope.data)
            if isinstance(shape, Identify) and arrival.source == "browser" and shape.login:
                self._proof.check(arrival.app, shape.login, envelope.data.get("loginHash"))
            if isinstance(shape, OneSignalStatus | Interaction):
                player = shape.player_id
            data = shape.model_dump(by_alias=True, exclude_none=True)
        occurred = envelope.occurred_at and as_utc(envelope.occurred_at)
        return Event(
            app=arrival.app.id,
            id=envelope.id or self._new_id(),
            type=envelope.type,
            source=arrival.source,
            visitor_id=envelope.visitor_id,
            player_id=player,
            occurred_at=correct(occurred, arrival.clock_error, arrival.received_at),
            received_at=arrival.received_at,
            page=_dump(envelope.page),
            context=_context(envelope.context, arrival),
            data=data,
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
    except ValidationError as exc:
        raise _refused(exc, prefix="data.") from exc


def _refused(exc: ValidationError, prefix: str = "") -> InvalidPayload:
    """The first finding's own code, so that an item's `code` says what is wrong with it."""
    error = invalid_payload(exc, prefix=prefix)
    error.code = error.errors[0].code
    return error


def _dump(part: BaseModel | None) -> dict[str, Any] | None:
    return part.model_dump(exclude_none=True) or None if part is not None else None


def _context(part: BaseModel | None, arrival: Arrival) -> dict[str, Any] | None:
    """The mark is ours to make: a sender's own `crawler` was dropped with what isn't declared."""
    told = _dump(part)
    return {**(told or {}), "crawler": True} if arrival.crawler else told
