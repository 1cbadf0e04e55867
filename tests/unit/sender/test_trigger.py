"""A trigger: what it must say, what it may say, and when two of them are the same."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.trigger import MAX_TRIGGER_BYTES, Trigger, parse_trigger
from shared.errors import InvalidPayload
from tests.support.builders import SEND, player_id
from tests.support.clocks import START


def _trigger_body(**fields: Any) -> dict[str, Any]:
    body = {"id": SEND, "app": "demo", "campaign": "welcome", "audience": {"all": True}, **fields}
    return {key: value for key, value in body.items() if value is not None}


def _trigger(**fields: Any) -> Trigger:
    _, trigger, _ = parse_trigger(orjson.dumps(_trigger_body(**fields)))
    assert isinstance(trigger, Trigger), trigger
    return trigger


def _digest(body: dict[str, Any]) -> str:
    return parse_trigger(orjson.dumps(body))[2]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"5", b"null", b'{"id": 5, "app": "demo"}', b'{"app": "demo"}',
     orjson.dumps(_trigger_body(id="x")), orjson.dumps(_trigger_body(app="")),
     orjson.dumps(_trigger_body(app="../x")),
     orjson.dumps({"id": SEND}), b" " * (MAX_TRIGGER_BYTES + 1)],
)  # fmt: skip
def test_without_a_head_it_is_nobodys(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        parse_trigger(body)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"campaign": None}, "campaign"),
        ({"campaign": "a b"}, "campaign"),
        ({"priority": "urgent"}, "priority"),
        ({"variables": [1]}, "variables"),
        ({"variables": {"$set": 1}}, "variables"),
        ({"variables": {"n": 2**64 - 1}}, "variables"),
        ({"sendAt": "soon"}, "sendAt"),
        ({"sendAt": "9999-12-31T23:59:59-10:00"}, "sendAt"),
        ({"audience": None}, ""),
        ({"recipients": [{"login": "a"}]}, ""),
        ({"part": 1, "parts": 2}, ""),
        ({"audience": {}}, "audience"),
        ({"audience": {"all": False}}, "audience.all"),
        ({"audience": {"all": True, "logins": ["a"]}}, "audience"),
        ({"audience": {"logins": []}}, "audience.logins"),
        ({"audience": {"logins": [""]}}, "audience.logins.0"),
        ({"audience": {"logins": ["x" * 257]}}, "audience.logins.0"),
        ({"audience": {"players": ["x"]}}, "audience.players.0"),
        ({"audience": {"segment": {"a": 1}}}, "audience.segment.a"),
        ({"audience": None, "recipients": []}, "recipients"),
        ({"audience": None, "recipients": [{}]}, "recipients.0"),
        ({"audience": None, "recipients": [{"login": "a", "visitor": "b"}]}, "recipients.0"),
        ({"audience": None, "recipients": [{"login": "a", "variables": 5}]}, "recipients.0"),
        ({"audience": None, "recipients": [{"player": "x"}]}, "recipients.0"),
        ({"audience": None, "recipients": [{"person": ""}]}, "recipients.0"),
        ({"audience": None, "recipients": [{"person": "a" * 32, "login": "b"}]}, "recipients.0"),
    ],
)
def test_what_is_wrong_with_the_body_is_reported_with_its_head(
    fields: dict[str, Any], named: str
) -> None:
    head, error, digest = parse_trigger(orjson.dumps(_trigger_body(**fields)))
    assert (head.id, head.app) == (SEND, "demo")
    assert isinstance(error, InvalidPayload)
    assert error.errors[0].field == named or (named == "" and error.errors[0].field == "body")
    assert len(digest) == 64


@pytest.mark.parametrize(("named", "kept"), [("hello", "hello"), (" ", ""), (7, ""), ({}, "")])
def test_n18_a_trigger_that_cant_be_read_keeps_the_campaign_that_it_names(
    named: object, kept: str
) -> None:
    body = _trigger_body(campaign=named, recipients=[{"login": []}])
    head, error, _ = parse_trigger(orjson.dumps(body))
    assert isinstance(error, InvalidPayload) and head._campaign == kept


def test_nesting_without_end_is_wrong_and_not_fatal() -> None:
    deep = b'{"id":"%s","app":"demo","variables":{"a":%s%s}}' % (
        SEND.encode(),
        b"[" * 900,
        b"]" * 900,
    )
    head, error, digest = parse_trigger(deep)
    assert head.app == "demo" and isinstance(error, InvalidPayload) and len(digest) == 64


def test_defaults() -> None:
    trigger = _trigger()
    assert (trigger.priority, trigger.variables, trigger.send_at) == ("marketing", {}, None)


def test_ids_are_lower_case() -> None:
    assert _trigger(id=SEND.upper()).id == SEND
    named = _trigger(audience={"players": [player_id(1).upper()]}).named()
    assert named is not None and [r.address for r in named] == [("player", player_id(1))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner),
    max_leaves=8,
)  # fmt: skip


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(value[key]) for key in reversed(value)}
    return [_shuffled(one) for one in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=4))
def test_digest_knows_no_order_of_keys(variables: dict[str, Any]) -> None:
    body = _trigger_body(variables=variables)
    assert _digest(body) == _digest(_shuffled(body))


@given(
    st.lists(
        JSON,
        min_size=2,
        max_size=2,
        unique_by=lambda v: orjson.dumps(v, option=orjson.OPT_SORT_KEYS),
    )
)
def test_digest_knows_every_other_content(values: list[Any]) -> None:
    assert _digest(_trigger_body(variables={"v": values[0]})) != _digest(
        _trigger_body(variables={"v": values[1]})
    )


def test_digest_is_over_what_it_means() -> None:
    assert _digest(_trigger_body()) == _digest(_trigger_body(priority="marketing", variables={}))
    assert _digest(_trigger_body()) != _digest(_trigger_body(priority="transactional"))
    assert _digest(_trigger_body(sendAt="2026-11-01T12:00:00Z")) == _digest(
        _trigger_body(sendAt="2026-11-01T13:00:00+01:00")
    )


def test_wrong_triggers_have_digests_too() -> None:
    wrong = _trigger_body(audience={})
    assert (
        _digest(wrong)
        == _digest(_shuffled(wrong))
        != _digest(_trigger_body(audience={"all": False}))
    )


def test_first_of_equal_recipients_wins() -> None:
    recipients = [
        {"login": "a", "variables": {"n": 1}}, {"visitor": "a", "variables": {"n": 2}},
        {"login": "a", "variables": {"n": 3}}, {"player": player_id(1), "variables": {"n": 4}},
        {"player": player_id(1).upper(), "variables": {"n": 5}},
    ]  # fmt: skip
    named = _trigger(audience=None, recipients=recipients).named()
    assert named is not None
    assert [(r.address[0], r.variables["n"]) for r in named] == [
        ("login", 1),
        ("visitor", 2),
        ("player", 4),
    ]


@pytest.mark.parametrize(("field", "kind"), [("logins", "login"), ("visitors", "visitor")])
def test_audience_names_in_order_and_once(field: str, kind: str) -> None:
    named = _trigger(audience={field: ["b", "a", "b"]}).named()
    assert named is not None and [r.address for r in named] == [(kind, "b"), (kind, "a")]


def test_everyone_is_not_named() -> None:
    assert _trigger().named() is None


HOUR = timedelta(hours=1)


def _life(**moments: timedelta) -> tuple[timedelta, timedelta]:
    trigger = _trigger(**{name: (START + after).isoformat() for name, after in moments.items()})
    due, expires = trigger.life(START)
    return due - START, expires - START


@pytest.mark.parametrize(
    ("moments", "due", "expires"),
    [
        ({}, 0 * HOUR, 24 * HOUR),
        ({"sendAt": 5 * HOUR}, 5 * HOUR, 29 * HOUR),
        ({"sendAt": -5 * HOUR}, 0 * HOUR, 24 * HOUR),
        ({"sendAt": timedelta(days=-365 * 60)}, 0 * HOUR, 24 * HOUR),
        ({"expiresAt": HOUR}, 0 * HOUR, HOUR),
        ({"expiresAt": 7 * 24 * HOUR}, 0 * HOUR, 7 * 24 * HOUR),
        ({"sendAt": 30 * 24 * HOUR, "expiresAt": 37 * 24 * HOUR}, 30 * 24 * HOUR, 37 * 24 * HOUR),
    ],
)
def test_life_counts_from_when_it_is_due(
    moments: dict[str, timedelta], due: timedelta, expires: timedelta
) -> None:
    assert _life(**moments) == (due, expires)


@pytest.mark.parametrize(
    ("moments", "code"),
    [
        ({"sendAt": 30 * 24 * HOUR + timedelta(seconds=1)}, "send_at_too_far"),
        ({"expiresAt": 0 * HOUR}, "already_expired"),
        ({"expiresAt": -HOUR}, "already_expired"),
        ({"sendAt": 2 * HOUR, "expiresAt": 2 * HOUR}, "expires_before_send_at"),
        ({"sendAt": 2 * HOUR, "expiresAt": HOUR}, "expires_before_send_at"),
        ({"expiresAt": 7 * 24 * HOUR + timedelta(seconds=1)}, "expires_too_late"),
    ],
)
def test_lives_that_cannot_be(moments: dict[str, timedelta], code: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        _life(**moments)
    assert caught.value.code == code


@given(
    st.binary(max_size=80)
    | st.builds(lambda d: orjson.dumps(d), st.dictionaries(st.text(max_size=3), JSON))
)
def test_any_bytes_are_parsed(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        parse_trigger(body)


def test_a_uuid_of_any_version_is_an_id() -> None:
    assert _trigger(id=str(uuid.uuid1())).app == "demo"
