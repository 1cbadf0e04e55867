"""Whatever comes in by HTTP, from OneSignal or on a topic: it is read, or Rejected; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_service.batch import read_batch
from ingest_service.projector.decode import decode
from ingest_service.stream_bodies import read_stream
from ingest_service.webhook_bodies import read_webhook
from sender_service.dispatcher.outcomes import classify
from sender_service.intake.said import to_said
from sender_service.models.trigger import parse_trigger
from shared.errors import Rejected
from shared.kafka import Record
from shared.models.dead_letter import DeadLetter
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.models.job import Job
from shared.topics import DELIVERIES, EVENTS

UUID = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
AT = "2026-05-01T12:00:00.000Z"
PLACE: dict[str, Any] = {"app": "demo", "send": UUID, "page": 0, "chunk": "0"}
WEBHOOK: dict[str, Any] = {
    "event": "notification.clicked",
    "id": UUID,
    "userId": UUID,
    "action": "a",
    "data": {},
}
STREAM: dict[str, Any] = {
    "event.kind": "message.push.received",
    "message": {"id": UUID},
    "event.timestamp": "1",
}
CONDITION: dict[str, Any] = {"basket": {"total": {"atLeast": 5}, "within": {"days": 3}}}
SEGMENT: dict[str, Any] = {"id": UUID, "app": "demo", "campaign": "c"}
SEGMENT |= {"audience": {"segment": {"and": [CONDITION, {"not": {"viewed": {"items": ["i"]}}}]}}}
TRIGGER: dict[str, Any] = {
    "id": UUID,
    "app": "demo",
    "campaign": "c",
    "audience": {"players": [UUID]},
    "part": 1,
}
JOB: dict[str, Any] = {
    **PLACE,
    "generation": 1,
    "priority": "marketing",
    "idempotencyKey": UUID,
    "players": [UUID],
}
JOB |= {"body": {"contents": {"en": "x"}}, "expiresAt": AT, "releasedAt": AT}
DELIVERY: dict[str, Any] = {
    **PLACE,
    "outcome": "sent",
    "players": [{"player": UUID, "outcome": "failed"}],
    "at": AT,
}
EVENT: dict[str, Any] = {
    "app": "demo",
    "id": UUID,
    "type": "carillon.undoMerge",
    "source": "ops",
    "visitorId": "v",
}
EVENT |= {"occurredAt": AT, "receivedAt": AT, "data": {"merge": ["a", "b"]}}
LETTER = {
    "id": UUID,
    "stage": "s",
    "topic": "t",
    "partition": 0,
    "offset": 0,
    "type": "t",
    "at": AT,
}
LETTER |= {"key": "", "value": "", "code": "c", "message": "m"}
BATCH: dict[str, Any] = {
    "sentAt": AT,
    "events": [{"type": "pageview", "visitorId": "v", "data": {"itemID": "i"}}],
}

ODD_TEXTS = st.sampled_from(["", "\0", "$where", "1e999", "NaN", "0001-01-01T00:00:00+14:00", UUID])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | ODD_TEXTS
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def _projected(raw: bytes) -> object:
    kind = orjson.loads(raw).get("type") if raw.startswith(b"{") else ""
    topic = DELIVERIES.name if b'"outcome"' in raw else EVENTS.name
    return decode(Record(topic, 0, 0, b"k", raw, kind if isinstance(kind, str) else "", 0))


DECODERS: dict[str, tuple[Callable[[bytes], object], dict[str, Any]]] = {
    "webhook": (read_webhook, WEBHOOK),
    "stream": (read_stream, STREAM),
    "batch": (read_batch, BATCH),
    "trigger": (parse_trigger, TRIGGER),
    "intake": (to_said, TRIGGER),
    "segment": (parse_trigger, SEGMENT),
    "job": (Job.parse, JOB),
    "delivery": (Delivery.parse, DELIVERY),
    "event": (Event.parse, EVENT),
    "letter": (DeadLetter.parse, LETTER),
    "projected": (_projected, EVENT),
}
everyone = pytest.mark.parametrize("name", DECODERS)
briefly = settings(max_examples=40, deadline=None)  # a decoder; all of them in a few seconds


def spoiled(valid: dict[str, Any], path: list[int], value: Any) -> dict[str, Any]:
    """The same, but for one value somewhere inside."""
    copy: Any = orjson.loads(orjson.dumps(valid))
    at = copy
    for step in path:
        keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = keys[step % len(keys)]
        if step == path[-1] or not isinstance(at[key], dict | list):
            at[key] = value
            break
        at = at[key]
    assert isinstance(copy, dict)
    return copy


def reads_or_rejects(decoder: Callable[[bytes], object], raw: bytes) -> None:
    try:
        decoder(raw)
    except Rejected as exc:
        assert exc.message


@everyone
def test_valid_example_is_read(name: str) -> None:
    decoder, valid = DECODERS[name]
    decoder(orjson.dumps(valid))


@everyone
@briefly
@given(raw=st.binary(max_size=80))
def test_bytes(name: str, raw: bytes) -> None:
    if name != "projected":  # its bytes are Event's and Delivery's
        reads_or_rejects(DECODERS[name][0], raw)


@everyone
@briefly
@given(value=ANYTHING)
def test_any_json(name: str, value: Any) -> None:
    reads_or_rejects(DECODERS[name][0], _dumps(value))


@everyone
@briefly
@given(path=st.lists(st.integers(0, 12), min_size=1, max_size=4), value=ANYTHING)
def test_valid_but_for_one_value(name: str, path: list[int], value: Any) -> None:
    decoder, valid = DECODERS[name]
    reads_or_rejects(decoder, _dumps(spoiled(valid, path, value)))


@everyone
@briefly
@given(end=st.integers(0, 400), depth=st.integers(0, 3_000))
def test_cut_off_or_endlessly_deep(name: str, end: int, depth: int) -> None:
    decoder, valid = DECODERS[name]
    raw = orjson.dumps(valid)
    if name != "projected":
        reads_or_rejects(decoder, raw[: min(end, len(raw))])
        reads_or_rejects(decoder, b'{"data":' * depth + b"1" + b"}" * depth)


@briefly
@given(
    status=st.sampled_from([200, 201, 202, 400, 401, 403, 404, 408, 429, 500, 502, 503]),
    body=ANYTHING,
    retry_after=st.none() | st.text(max_size=8) | st.sampled_from(["-1", "inf", "nan", "1e400"]),
)
def test_onesignals_answers(status: int, body: Any, retry_after: str | None) -> None:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    classify(status, headers, _dumps(body))
    for key in ("errors", "error", "id"):
        classify(status, headers, _dumps({key: body}))


def _dumps(value: Any) -> bytes:
    """As others' encoders write it: also what orjson refuses (large numbers, lone surrogates)."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return json.dumps(value).encode()
