"""A campaign trigger, as it comes on `carillon.triggers` and to `POST /v1/sends` (docs/design.md 4)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from sender_service.models.malformed import Malformed, leave_out, refuse_all
from sender_service.models.recipient import Recipient, VisitorId
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.segment import BoundedSegment
from shared.errors import FieldError, InvalidPayload
from shared.ids import is_uuid
from shared.models.documented import AS_UUID, exactly_one
from shared.models.sentences import text_like
from shared.models.strict import validate_tolerantly
from shared.models.wire import Storable, Wire, ZonedMoment, load_json, validate
from shared.names import Login, PlayerId
from shared.priority import Priority

MAX_TRIGGER_BYTES = 1024 * 1024
MAX_PARTS = 1_000
MAX_RECIPIENTS = 2_000_000  # of all parts: who was met is remembered while they are planned
PLACEHOLDER = {"visitor": "somebody"}  # stands in a list that must not be empty
FEW_RECIPIENTS = 100  # so many may take the fast path
DEFAULT_LIFE = timedelta(hours=24)
LONGEST_LIFE = timedelta(days=7)
FARTHEST_SEND_AT = timedelta(days=30)


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise ValueError("must be a UUID")
    return text.lower()


UuidText = Annotated[str, AfterValidator(_uuid), AS_UUID]
Name = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        "must have 1 to 64 letters, digits, or any of _ . -, and begin with a letter or digit,"
        " as my-shop",
    ),
]
_CAMPAIGN_NAME: TypeAdapter[str] = TypeAdapter(Name)


class Audience(Wire):
    """An audience, with exactly one of its keys."""

    model_config = ConfigDict(
        json_schema_extra=exactly_one("logins", "visitors", "players", "segment", "all")
    )

    logins: list[Login] | None = Field(default=None, min_length=1)
    visitors: list[VisitorId] | None = Field(default=None, min_length=1)
    players: list[PlayerId] | None = Field(default=None, min_length=1)
    segment: BoundedSegment | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = (self.logins, self.visitors, self.players, self.segment, self.all)
        if sum(one is not None for one in given) != 1:
            raise ValueError("give exactly one of logins, visitors, players, segment, all")
        return self


class TriggerHead(Wire):
    """The fields that identify a trigger; without them it becomes a dead letter."""

    id: UuidText
    app: Name
    _campaign: str = PrivateAttr("")  # also of a trigger that can't be read, or names nobody


class Terms(TriggerHead):
    """A trigger without its recipients; all parts of one trigger have the same terms."""

    campaign: Name
    priority: Priority = "marketing"
    variables: Storable = {}
    send_at: ZonedMoment | None = None
    expires_at: ZonedMoment | None = None
    scenario: ScenarioRef | None = None  # set by Carillon only, with the priority triggered
    _unknown: tuple[FieldError, ...] = PrivateAttr(())

    @property
    def unknown(self) -> tuple[FieldError, ...]:
        """Unknown keys that were ignored."""
        return self._unknown

    _malformed: Malformed = PrivateAttr(Malformed())

    @property
    def malformed(self) -> Malformed:
        """Malformed names that were left out."""
        return self._malformed

    def life(self, now: datetime) -> tuple[datetime, datetime]:
        """Return when it is due and when it expires. Raises InvalidPayload."""
        due = max(self.send_at or now, now)  # what should have gone out long ago goes now
        if due > now + FARTHEST_SEND_AT:
            raise InvalidPayload("sendAt: at most 30 days ahead", code="send_at_too_far")
        expires = self.expires_at or due + DEFAULT_LIFE
        if expires <= now:
            raise InvalidPayload("expiresAt: is in the past", code="already_expired")
        if expires <= due:
            raise InvalidPayload("expiresAt: must be after sendAt", code="expires_before_send_at")
        if expires > due + LONGEST_LIFE:
            raise InvalidPayload("expiresAt: at most 7 days after sendAt", code="expires_too_late")
        return due, expires


class Trigger(Terms):
    model_config = ConfigDict(
        json_schema_extra=exactly_one(
            "audience", "recipients", dependentRequired={"part": ["parts"], "parts": ["part"]}
        )
    )

    audience: Audience | None = None
    recipients: list[Recipient] | None = Field(default=None, min_length=1)
    part: int | None = Field(default=None, ge=1, le=MAX_PARTS)
    parts: int | None = Field(default=None, ge=1, le=MAX_PARTS)

    _places: list[int] | None = PrivateAttr(None)  # where its names stood before some were left out

    def place_of(self, index: int) -> int:
        """Return a name's position in the list as received."""
        return index if self._places is None else self._places[index]

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.audience is None) == (self.recipients is None):
            raise ValueError("give exactly one of audience and recipients")
        if (self.part is None) != (self.parts is None):
            raise ValueError("part and parts go together")
        if self.part is not None and self.parts is not None and self.part > self.parts:
            raise ValueError("part is one of 1 to parts")
        if self.part is not None and self.named() is None:
            raise ValueError("only lists come in parts, not segment nor all")
        return self

    @property
    def terms(self) -> Terms:
        return Terms.model_validate(self.document())

    def named(self) -> Iterator[Recipient] | None:
        """Return the recipients without duplicates; None for a segment or all people."""
        if self.recipients is not None:
            first: dict[tuple[str, str], Recipient] = {}
            for recipient in self.recipients:
                first.setdefault(recipient.address, recipient)
            return iter(first.values())
        assert self.audience is not None
        for field in ("logins", "visitors", "players"):
            names = getattr(self.audience, field)
            if names is not None:
                return (Recipient(**{field[:-1]: name}) for name in dict.fromkeys(names))
        return None


def parse_trigger(body: bytes) -> tuple[TriggerHead, Trigger | InvalidPayload, str]:
    """Return the head, the trigger or its error, and the digest of its content.

    The digest covers the meaning: key order, explicit defaults and unknown keys don't change it.
    Raises InvalidPayload if not even the head can be read.
    """
    if len(body) > MAX_TRIGGER_BYTES:
        raise InvalidPayload("a trigger has at most 1 MiB", code="trigger_too_large")
    value = load_json(body)
    if not isinstance(value, dict):
        raise InvalidPayload("a trigger is a JSON object", code="trigger_not_an_object")
    head = validate(TriggerHead, value)
    with contextlib.suppress(ValidationError):
        head._campaign = _CAMPAIGN_NAME.validate_python(value.get("campaign"))
    try:
        trigger = _read(value)
    except InvalidPayload as exc:
        return head, exc, digest_of(value, body)
    return head, trigger, digest_of(trigger.model_dump(mode="json", by_alias=True), body)


def _read(value: dict[str, Any]) -> Trigger:
    """Parse a trigger; a valid one is parsed strictly and once. Raises InvalidPayload."""
    try:
        return Trigger.model_validate(value, extra="forbid")
    except ValidationError as exc:
        found = leave_out(value, exc)
    rest = found.rest
    if found.is_empty and "part" not in value:
        raise refuse_all(found)
    if found.is_empty:  # the other parts may have some
        rest = {k: v for k, v in value.items() if k != "audience"} | {"recipients": [PLACEHOLDER]}
    trigger, unknown = validate_tolerantly(Trigger, rest)
    if found.is_empty:
        trigger = trigger.model_copy(update={"recipients": []})
    trigger._unknown, trigger._malformed, trigger._places = unknown, found.malformed, found.places
    return trigger


def digest_of(value: Any, body: bytes = b"") -> str:
    """Return the SHA-256 of the sorted JSON."""
    # What is nested too deep to be encoded is refused anyway; the received bytes stand for it.
    with contextlib.suppress(orjson.JSONEncodeError):
        body = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest()
