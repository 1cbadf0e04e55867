"""Validation of received events for the log. Pure, except for ids that it assigns."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from ingest_service.collect.batch import check_event, check_numbers
from ingest_service.collect.event_schemas import (
    EVENT_MODELS,
    Envelope,
    Identify,
    Interaction,
    OneSignalStatus,
)
from ingest_service.collect.login_proof import LoginProof
from ingest_service.collect.login_visitors import (
    RESERVED,
    LoginVisitors,
    check_data,
    names_login,
    refusal,
)
from ingest_service.collect.surroundings import read_context, read_page
from ingest_service.collect.unknown_keys import (
    explain_missing,
    explain_type,
    meant_type,
    note_unknown_data,
    note_unknown_parts,
)
from ingest_service.parsing.event_time import correct
from ingest_service.parsing.field_notes import ZONE_MISSING, FieldNotes, validate_leniently
from ingest_service.parsing.input_model import InputModel
from ingest_service.projector.person_ids import LOGIN_VISITOR
from shared.clock import as_utc
from shared.errors import FieldError, InvalidPayload
from shared.identity_values import MESSAGE, is_placeholder, is_placeholder_visitor
from shared.models.app import App
from shared.models.event import Source
from shared.secrets import Vault

# A model's isinstance goes through its metaclass: most events need none.
SPECIAL = frozenset({Identify, OneSignalStatus, Interaction})
# An id makes repetition harmless: an event is not taken under another one.
NEEDED = frozenset({"id", "type", "visitorId", "data"})
BEYOND = ("out_of_range", "is beyond the years 1 to 9999")
NEEDED_DATA = frozenset({"login"})  # without it an email would be another person's


class RequestContext(NamedTuple):
    """Facts that all events of one request share."""

    app: App
    source: Source
    received_at: datetime
    clock_skew: timedelta
    size: int  # bytes of the request
    brackets: int  # in it: what can be nested at most
    crawler: bool


class AcceptedEvent(NamedTuple):
    """An event for the log; its time may still be moved within its request."""

    id: str
    type: str
    key: str
    fields: dict[str, Any]
    warnings: tuple[FieldError, ...] = ()  # what was left out of it

    @property
    def value(self) -> bytes:
        """The event's JSON, as `Event.dump` writes it."""
        # A third of the cost of `Event.dump`, which would validate again.
        return orjson.dumps(self.fields, option=orjson.OPT_UTC_Z)


class EventValidator:
    """Validates events one by one."""

    def __init__(
        self,
        proof: LoginProof,
        logins: LoginVisitors,
        new_id: Callable[[], str],
    ) -> None:
        self._proof = proof
        self._logins = logins
        self._new_id = new_id

    @classmethod
    def of(
        cls, vault: Vault, new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    ) -> EventValidator:
        return cls(LoginProof(vault), LoginVisitors.of(vault), new_id)

    def validate(
        self, raw: Any, arrival: RequestContext, *, may_be_reserved: bool = False
    ) -> AcceptedEvent:
        """Return the event as accepted. Raises InvalidPayload.

        `may_be_reserved`: the visitor stands for a login; ingest has named it.
        """
        notes = FieldNotes()
        try:
            envelope = _envelope(check_event(raw, arrival.size, arrival.brackets), notes)
        except InvalidPayload:  # most events name a browser: they pay nothing for the others
            if not names_login(raw):
                raise
            return self._validate_by_login(raw, arrival)
        note_unknown_parts(notes, raw, envelope)
        visitor = envelope.visitor_id
        if is_placeholder_visitor(visitor):
            raise refusal("visitorId", "placeholder_visitor", MESSAGE)
        if visitor.startswith(LOGIN_VISITOR) and not may_be_reserved:
            raise refusal("visitorId", "reserved_visitor", RESERVED)
        known = EVENT_MODELS.get(envelope.type)
        if known is None:
            return self._accept_own(envelope, arrival, notes)
        shape = _read_data(known, envelope.data, notes)
        data = shape.model_dump(by_alias=True, exclude_none=True)
        if known not in SPECIAL:
            return self._accept(envelope, data, None, arrival, notes)
        if isinstance(shape, OneSignalStatus | Interaction):
            return self._accept(envelope, data, shape.player_id, arrival, notes)
        data = self._identify(data, envelope.data.get("loginHash"), arrival, notes)
        return self._accept(envelope, data, None, arrival, notes)

    def _accept_own(
        self, envelope: Envelope, arrival: RequestContext, notes: FieldNotes
    ) -> AcceptedEvent:
        """Return an event of the shop's own type. Raises InvalidPayload."""
        check_numbers(envelope.data)
        if meant := meant_type(envelope.type):
            message = f"is taken as a type of your own; did you mean `{meant}`?"
            notes.leave_out("type", "unknown_type", message)
        return self._accept(envelope, envelope.data, None, arrival, notes)

    def _validate_by_login(self, raw: dict[str, Any], arrival: RequestContext) -> AcceptedEvent:
        """Return the event of a login's visitor, with the login. Raises InvalidPayload."""
        event, login = self._logins.name_visitor(raw, arrival.app, arrival.source)
        accepted = self.validate(event, arrival, may_be_reserved=True)
        check_data(accepted.type, accepted.fields["data"], login)
        accepted.fields["login"] = login
        return accepted

    def _identify(
        self, data: dict[str, Any], proof: Any, arrival: RequestContext, notes: FieldNotes
    ) -> dict[str, Any]:
        """Return the data of an `identify` with `proven`, without a login that lacks a required proof.

        Raises InvalidPayload where the login is a placeholder.
        """
        login = data.get("login")
        if login and is_placeholder(login, arrival.app.allowed_logins):
            raise refusal("data.login", "placeholder_login", MESSAGE)
        found, warning = self._proof.apply(arrival.app, arrival.source, data, proof)
        if warning is not None:
            notes.found.append(warning)
        return found

    def _accept(
        self,
        envelope: Envelope,
        data: dict[str, Any],
        player: str | None,
        arrival: RequestContext,
        notes: FieldNotes,
    ) -> AcceptedEvent:
        occurred = correct(_occurred(envelope, notes), arrival.clock_skew, arrival.received_at)
        id_ = envelope.id or self._new_id()
        fields: dict[str, Any] = {
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
            fields["playerId"] = player
        if page := read_page(envelope.page, arrival.app, notes):
            fields["page"] = page
        if context := read_context(envelope.context, notes, crawler=arrival.crawler):
            fields["context"] = context
        return AcceptedEvent(id_, envelope.type, envelope.visitor_id, fields, tuple(notes.found))


def _envelope(raw: dict[str, Any], notes: FieldNotes) -> Envelope:
    """Read the envelope. Raises InvalidPayload, with the key or type that was probably meant."""
    try:
        return validate_leniently(Envelope, raw, notes, needed=NEEDED)
    except InvalidPayload as exc:
        raise explain_type(explain_missing(exc, raw, Envelope), raw.get("type")) from exc
    except OverflowError:
        notes.leave_out("occurredAt", *BEYOND)
        return validate_leniently(Envelope, {**raw, "occurredAt": None}, notes, needed=NEEDED)


def _read_data(known: type[InputModel], data: dict[str, Any], notes: FieldNotes) -> InputModel:
    """Read the data of a known type. Raises InvalidPayload, with the key that was probably meant."""
    try:
        shape = validate_leniently(known, data, notes, needed=NEEDED_DATA, prefix="data.")
    except InvalidPayload as exc:
        raise explain_missing(exc, data, known) from exc
    if len(data) != len(shape.__pydantic_fields_set__) or "transaction" in data:
        note_unknown_data(notes, data, shape)
    return shape


def _occurred(envelope: Envelope, notes: FieldNotes) -> datetime | None:
    """Return the time in UTC; None if it is absent, or beyond the calendar in UTC."""
    moment = envelope.occurred_at
    if moment is None:
        return None
    if moment.tzinfo is None:
        notes.leave_out("occurredAt", *ZONE_MISSING)
        return as_utc(moment)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        notes.leave_out("occurredAt", *BEYOND)
        return None
