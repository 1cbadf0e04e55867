"""Tests that every message about a field is a sentence of ours: of bodies, triggers and events."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, get_args

import orjson
import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

from ingest_service.collect.event_schemas import EVENT_MODELS, Envelope
from ingest_service.parsing.field_notes import FieldNotes, validate_leniently
from ingest_service.parsing.input_model import InputModel
from sender_service.models.campaign import CampaignBody
from sender_service.models.recipient import Recipient
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.trigger import Terms, Trigger, parse_trigger
from sender_service.ops.app_body import AppRequest
from sender_service.ops.app_examples import APP
from sender_service.ops.app_keys import KeyRequest
from sender_service.ops.dead_letters import ReplayRequest
from sender_service.ops.examples import CAMPAIGN, EXAMPLE_PERSON_ID, SEND_ID
from sender_service.ops.person_requests import MergeRequest, PersonQuery
from sender_service.ops.push_tester import PushTestRequest
from sender_service.ops.scenario_examples import SCENARIO
from sender_service.ops.tokens import TokenRequest
from shared.errors import FieldError, InvalidPayload
from shared.models.documented import EXAMPLE_PLAYER_ID
from shared.models.sentences import UNDESCRIBED, UNEXPECTED, sentence_of, words_of
from shared.models.strict import validate_strictly
from tests.support.sentences import FOREIGN

ODD: list[Any] = [
    None, "", "?", "ÿ" * 600, "x" * 9_000, -1, 0, 1.5, 10**30, float("inf"), True, [], [1], {},
    {"x": 1}, [[]], [None], ["", ""], "2027-01-01", "22", "https://", "{{", "{{ a b }}", "{% x %}",
]  # fmt: skip
WINDOW = {"within": {"days": 2}, "olderThan": {"hours": 1}}
SEGMENT: dict[str, Any] = {"and": [
    {"or": [{"not": {"lastSeen": WINDOW}}, {"language": ["cs"]}, {"timeZone": ["Europe/Prague"]}]},
    {"browser": ["Chrome"]}, {"known": "login"}, {"viewed": {"items": ["1"], "last": True}},
    {"category": {"ids": ["1"]}}, {"basket": {"total": {"atLeast": 1}, "lines": {"atLeast": 1}}},
    {"bought": {"count": {"atLeast": 1, "atMost": 3}, "within": {"days": 3}}},
]}  # fmt: skip
TERMS: dict[str, Any] = {
    "id": SEND_ID, "app": "demo", "campaign": "welcome", "priority": "marketing",
    "variables": {"a": 1}, "sendAt": "2027-01-01T00:00:00Z", "expiresAt": "2027-01-02T00:00:00Z",
}  # fmt: skip
PLAIN = {**SCENARIO, "steps": [{"id": "a", "campaign": "c"}], "until": []}
WRITTEN: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (AppRequest, {
        **APP, "enabled": True, "loginHash": {"required": True, "secret": "a secret"},
        "allowedLogins": ["0"], "controlGroup": 0.1, "cap": {"count": 1, "days": 2},
        "timeZone": "Europe/Prague", "maskedParameters": ["token"],
        "quietHours": {"from": "22:00", "to": "07:00"},
        "scenarios": {"gapMinutes": 60, "digestMinutes": 30},
        "snippet": {"loadOneSignal": True, "workerPath": "/x.js", "webhookKey": "wh_demo",
                    "sdkUrl": "https://x.example/sdk.js", "loginToOneSignal": True,
                    "requireConsent": False, "cookieDomain": "shop.example"},
    }),
    (CampaignBody, {
        **CAMPAIGN, "location": "PushNotificationLocation", "enabled": True,
        "policy": {"browsers": "all", "holdout": 0.1, "cap": {"count": 1, "days": 2},
                   "quietHours": {"from": "22:00", "to": "07:00"}, "ttlSeconds": 60,
                   "notIfBoughtSince": 3},
        "variants": [{**CAMPAIGN["variants"][0], "weight": 1, "icon": "https://x.example/i.png",
                      "image": "https://x.example/i.png", "data": {"a": 1},
                      "buttons": [{"id": "a", "text": "A", "url": "https://x.example/",
                                   "icon": "https://x.example/i.png"}]}],
    }),
    (ScenarioRequest, {
        **SCENARIO, "priority": 50, "if": SEGMENT, "until": ["bought"], "maxLate": 60, "spread": 30,
        "enter": {"on": "event", "type": "quiz", "where": {"a": 1, "b": "x"}, "key": "id"},
        "again": {"days": 7, "from": "push"},
        "steps": [{"id": "a", "campaign": "c", "at": {"time": "10:00", "days": 1, "zone": "app"},
                   "only": {"known": "login"}, "choose": {
                       "from": "hotDeals", "in": ["tea"], "take": 2, "else": {"from": "entry"},
                       "where": {"price": {"atLeast": 1}, "brand": ["x"]}}},
                  {"id": "b", "campaign": "c", "after": {"minutes": 5, "of": "silence"}}],
    }),
    (ScenarioRequest, {**PLAIN, "enter": {
        "on": "daily", "at": "10:00", "days": ["mo"], "zone": "app"}}),
    (ScenarioRequest, {**PLAIN, "enter": {
        "on": "viewed", "items": ["1"], "categories": ["2"], "atLeast": 2}}),
    (ScenarioRequest, {**PLAIN, "enter": {"on": "once", "at": "2027-01-01T00:00:00Z"}}),
    (Terms, TERMS),
    (Trigger, {**TERMS, "audience": {"logins": ["a"]}, "part": 1, "parts": 2}),
    (Trigger, {**TERMS, "audience": {"segment": SEGMENT}}),
    (Trigger, {**TERMS, "audience": {"all": True}}),
    (Trigger, {**TERMS, "recipients": [{"login": "a", "variables": {"a": 1}}, {"player": EXAMPLE_PLAYER_ID},
                                       {"visitor": "v-1"}]}),
    (Recipient, {"login": "a", "variables": {}}),
    (KeyRequest, {"kind": "server", "id": "warehouse"}),
    (ReplayRequest, {"ids": [SEND_ID]}),
    (PersonQuery, {"app": "demo", "email": "jana@shop.example"}),
    (MergeRequest, {"merge": EXAMPLE_PERSON_ID}),
    (TokenRequest, {"name": "x", "role": "read", "apps": ["demo"], "expiresAt": "2030-01-01T00:00:00Z"}),
    (PushTestRequest, {"player": EXAMPLE_PLAYER_ID, "variables": {}}),
]  # fmt: skip
EVENTS: dict[str, dict[str, Any]] = {
    "pageview": {"pageType": "product", "itemID": "1", "categoryID": "2"},
    "identify": {"login": "jana", "email": "jana@shop.example"},
}
LISTED_BY_OTHER_WORDS = ("origins", "headings", "contents", "url", "icon", "image", "text")


def with_odd_values(body: Any, *path: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the body with each odd value in each place, and without each key."""
    inner = body
    for step in path:
        inner = inner[step]
    for key in list(inner) if isinstance(inner, dict) else range(len(inner)):
        for odd in ODD:
            changed = copy.deepcopy(body)
            holder = changed
            for step in path:
                holder = holder[step]
            holder[key] = odd
            yield (*path, key), changed
        if isinstance(inner[key], dict | list):
            yield from with_odd_values(body, *path, key)
        changed = copy.deepcopy(body)
        holder = changed
        for step in path:
            holder = holder[step]
        del holder[key]
        yield (*path, key), changed


def check(errors: Iterator[FieldError] | tuple[FieldError, ...] | list[FieldError]) -> int:
    count = 0
    for error in errors:
        count += 1
        assert error.message, error
        assert not FOREIGN.search(error.message), error
        assert error.message not in (UNEXPECTED, UNDESCRIBED), error
        assert not re.search(r"[\[\]()]", error.field), error
    return count


@pytest.mark.parametrize(("model", "body"), WRITTEN)
def test_c3_messages_of_bodies_are_sentences(model: type[BaseModel], body: dict[str, Any]) -> None:
    validate_strictly(model, body)
    found = 0
    for _, odd in with_odd_values(body):
        try:
            validate_strictly(model, odd, prefix="body.")
        except InvalidPayload as exc:
            assert not FOREIGN.search(exc.message), exc.message
            found += check(exc.errors)
    assert found >= len(ODD) - 5


def test_c3_messages_of_names_that_are_left_out_are_sentences() -> None:
    odd_names: list[Any] = [None, True, "", "x" * 300, [], {}]
    for odd in odd_names:
        names = [{"login": odd}, {"player": odd}, {"visitor": odd}, odd, {"login": "good"}]
        body = orjson.dumps({**TERMS, "recipients": names})
        _, trigger, _ = parse_trigger(body)
        assert isinstance(trigger, Trigger)
        for name in trigger.malformed.names:
            assert not FOREIGN.search(name.message), name


def test_c3_messages_of_events_are_sentences() -> None:
    envelope = {"type": "pageview", "visitorId": "v-1", "occurredAt": "2027-01-01T00:00:00Z",
                "page": {"url": "https://x.example/", "title": "X", "referrer": ""},
                "context": {"timeZone": "UTC", "language": "cs", "browser": "x"}}  # fmt: skip
    read: list[tuple[type[InputModel], dict[str, Any]]] = [(Envelope, envelope)]
    read += [(EVENT_MODELS[kind], data) for kind, data in EVENTS.items()]
    for model, body in read:
        for _, odd in with_odd_values(body):
            notes = FieldNotes()
            try:
                validate_leniently(model, odd, notes, needed=frozenset({"type"}))
            except InvalidPayload as exc:
                check(exc.errors)
            check(notes.found)


def schemas_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any]] = [("", model.model_json_schema())]
    while waiting:
        path, one = waiting.pop()
        yield path, one
        inner = one.items() if isinstance(one, dict) else enumerate(one)
        waiting += [(f"{path}.{k}", v) for k, v in inner if isinstance(v, dict | list)]


def test_c3_every_pattern_has_words_with_an_example() -> None:
    for model in dict.fromkeys(model for model, _ in WRITTEN):
        for path, one in schemas_of(model):
            if isinstance(one, dict) and isinstance(one.get("pattern"), str):
                by_itself = any(f".{name}" in path for name in LISTED_BY_OTHER_WORDS)
                known = words_of(one["pattern"])
                assert by_itself or "propertyNames" in path or known != UNDESCRIBED, (path, one)
                assert known == UNDESCRIBED or " as " in known or "shows ids" in known, known


def test_c3_no_type_of_pydantics_reaches_people() -> None:
    for kind in get_args(ErrorType):
        if kind not in ("value_error", "assertion_error"):
            limits = dict.fromkeys(
                ("gt", "ge", "lt", "le", "multiple_of", "expected", "max_length"), 2
            )
            message = sentence_of(kind, "Input should be something", {**limits, "min_length": 2})
            assert not FOREIGN.search(message), (kind, message)


def test_limits_are_written_as_json_has_them() -> None:
    assert sentence_of("greater_than_equal", "", {"ge": 0.0}) == "must be at least 0"
    assert sentence_of("literal_error", "", {"expected": "True"}) == "must be true"
    assert sentence_of("string_too_short", "", {"min_length": 1}) == "must not be empty"
    assert sentence_of("too_long", "", {"max_length": 1}) == "must have at most 1 entry"


def test_what_is_ours_stays() -> None:
    assert (
        sentence_of("value_error", "Value error, keys: ids must differ") == "keys: ids must differ"
    )
    assert sentence_of("player_id", "must be a UUID") == "must be a UUID"


def test_unknown_types_would_not_break() -> None:
    with pytest.raises(ValidationError):
        Recipient.model_validate(3)
    assert sentence_of("fraction_type", "Fraction input should be …") == UNEXPECTED
