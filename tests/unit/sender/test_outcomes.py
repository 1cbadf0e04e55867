"""Tests of every answer of `POST /notifications` that docs/onesignal.md A5 knows, and what it means."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.providers.base import NotSent, Outcome, Refused, RetryAfter, Sent
from sender_service.providers.onesignal.responses import (
    LONGEST_RETRY_AFTER,
    classify,
    error_messages,
)

ID = "11111111-2222-4333-8444-555555555555"
A = "AAAAAAAA-0000-4000-8000-000000000001"
B = "aaaaaaaa-0000-4000-8000-000000000002"
DENIED = "Access denied.  Please include an 'Authorization: ...' header with a valid API key (...)."
OLD_HOST = "Please include a case-sensitive header of Authorization: Basic <YOUR-REST-API-KEY-HERE>"
PLAN = "This API is not available for applications on your plan."
ENGLISH = "Message Notifications must have English language content"
UUIDS = "Incorrect player_id format in include_player_ids (not a valid UUID): x"
NO_APP = "app_id not found. You may be missing a Content-Type: application/json header."
UNSUBSCRIBED = "All included players are not subscribed"
UNCLEAR = RetryAfter("unclear")


def _refused(whose: str, status: int, text: str) -> Refused:
    return Refused(whose, f"onesignal_{status}", text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        # created
        (200, {"id": ID, "external_id": None}, Sent(ID, False)),
        (201, {"id": ID}, Sent(ID, False)),
        (202, {"id": ID, "external_id": B}, Sent(ID, False)),
        (200, {"id": ID, "recipients": 5}, Sent(ID, False)),
        (200, {"id": ID, "errors": {"invalid_player_ids": [A, B]}},
         Sent(ID, False, frozenset({A.lower(), B}))),
        (200, {"id": ID, "errors": {"invalid_player_ids": []}}, Sent(ID, False)),
        (200, {"id": ID, "errors": {"invalid_player_ids": ["x", 5, None, B]}},
         Sent(ID, False, frozenset({B}))),
        (200, {"id": ID, "errors": {"invalid_player_ids": "x"}}, Sent(ID, False)),
        (200, {"id": ID, "errors": {"invalid_aliases": {"external_id": ["u1", "u1"]}}}, Sent(ID, False)),
        (200, {"id": ID, "errors": ["something"]}, Sent(ID, False)),
        (200, {"id": ID, "errors": "something"}, Sent(ID, False)),
        (200, {"id": ID, "warnings": {"invalid_external_user_ids": ["u"]}}, Sent(ID, False)),
        (200, {"id": ID, "warnings": ["w"]}, Sent(ID, False)),
        # nothing sent, whatever HTTP says
        (200, {"id": "", "errors": [UNSUBSCRIBED]}, NotSent()),
        (200, {"id": "", "recipients": 0, "errors": {"invalid_player_ids": [A]}}, NotSent()),
        (200, {"id": None, "errors": "x"}, NotSent()),
        (200, {"id": ""}, NotSent()),
        # accepted, but it doesn't say what: the same key again
        (200, b"", UNCLEAR),
        (204, b"", UNCLEAR),
        (200, b"<html>OK</html>", UNCLEAR),
        (200, [], UNCLEAR),
        (200, "ok", UNCLEAR),
        (200, None, UNCLEAR),
        (200, {}, UNCLEAR),
        (200, {"errors": ["x"]}, UNCLEAR),
        (200, b'{"id": "' + ID.encode(), UNCLEAR),
        (200, b"\xff\xfe", UNCLEAR),
        # the call's own fault
        (400, {"errors": [ENGLISH]}, _refused("call", 400, ENGLISH)),
        (400, {"errors": [UUIDS]}, _refused("call", 400, UUIDS)),
        (400, {"errors": [NO_APP]}, _refused("call", 400, NO_APP)),
        (400, {"errors": ENGLISH}, _refused("call", 400, ENGLISH)),
        (400, {"errors": [{"code": "c-1", "title": "Bad", "meta": {}}]}, _refused("call", 400, "Bad")),
        (400, {"errors": [{"code": "c-1"}]}, _refused("call", 400, "c-1")),
        (400, {"errors": {"contents": "missing"}}, _refused("call", 400, "contents: missing")),
        (400, {"errors": []}, _refused("call", 400, "HTTP 400")),
        (400, {"status": 400, "error": "There was a problem in the JSON you submitted: x"},
         _refused("call", 400, "There was a problem in the JSON you submitted: x")),
        (400, b"", _refused("call", 400, "HTTP 400")),
        (400, b"<html>Bad Request</html>", _refused("call", 400, "HTTP 400")),
        (404, {"errors": ["Notification not found"]}, _refused("call", 404, "Notification not found")),
        (409, {"errors": [{"code": "x", "title": "Conflict", "meta": {"conflicting_aliases": {}}}]},
         _refused("call", 409, "Conflict")),
        (413, b"", _refused("call", 413, "HTTP 413")),
        (301, b"", _refused("call", 301, "HTTP 301")),
        # the app's: nothing more may go out until somebody looks
        (401, {"errors": [{"code": "auth-1", "title": "No key"}]}, _refused("app", 401, "No key")),
        (401, b"", _refused("app", 401, "HTTP 401")),
        (403, {"errors": [DENIED]}, _refused("app", 403, DENIED)),
        (403, b"", _refused("app", 403, "HTTP 403")),
        (403, {"errors": [PLAN]}, _refused("app", 403, PLAN)),
        (403, {"errors": ["The app is disabled"]}, _refused("app", 403, "The app is disabled")),
        (400, {"errors": [OLD_HOST]}, _refused("app", 400, OLD_HOST)),
        (400, {"errors": OLD_HOST}, _refused("app", 400, OLD_HOST)),
        # later
        (429, {"errors": ["API rate limit exceeded"]}, RetryAfter("rate_limited")),
        (429, {"errors": [{"code": "Rate Limit Exceeded"}], "limit": "x"}, RetryAfter("rate_limited")),
        (429, b"", RetryAfter("rate_limited")),
        (408, b"", RetryAfter("server_error")),
        (500, b"", RetryAfter("server_error")),
        (502, b"<html>Bad Gateway</html>", RetryAfter("server_error")),
        (503, {"errors": ["Service temporarily unavailable"]}, RetryAfter("server_error")),
        (504, b"", RetryAfter("server_error")),
        (520, b"<html>Cloudflare</html>", RetryAfter("server_error")),
        (500, {"id": ID}, RetryAfter("server_error")),
    ],
)  # fmt: skip
def test_answer(status: int, body: Any, outcome: Outcome) -> None:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    assert classify(status, {"content-type": "text/plain"}, raw) == outcome


@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("5", 5.0), ("0", 0.0), ("1.5", 1.5), (" 7 ", 7.0), ("", None), ("soon", None),
     ("-1", None), ("nan", None), ("inf", None), ("1e400", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None),
     ("86400", LONGEST_RETRY_AFTER)],
)  # fmt: skip
def test_retry_after(status: int, header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    outcome = classify(status, headers, b"")
    assert isinstance(outcome, RetryAfter) and outcome.seconds == seconds


@pytest.mark.parametrize(
    ("header", "replayed"), [("true", True), ("True", True), ("false", False), ("", False)]
)
def test_replay_is_known(header: str, replayed: bool) -> None:
    body = orjson.dumps({"id": ID})
    assert classify(200, {"idempotent-replayed": header}, body) == Sent(ID, replayed)


@given(st.integers(100, 599), st.binary(max_size=40))
def test_any_answer_means_something(status: int, body: bytes) -> None:
    outcome = classify(status, {}, body)
    if isinstance(outcome, Sent | NotSent):
        assert 200 <= status < 300
    if status == 429 or status >= 500:
        assert isinstance(outcome, RetryAfter)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=3),
    )
)
def test_any_envelope_is_read(errors: Any) -> None:
    assert all(isinstance(message, str) for message in error_messages({"errors": errors}))
    assert all(isinstance(message, str) for message in error_messages(errors))
