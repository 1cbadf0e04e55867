"""Tests that what comes by HTTP, from OneSignal, in a file or on a topic is read, or Rejected."""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_service.snapshot.files import read_header
from sender_service.providers.onesignal.connection_check import parse_result
from sender_service.providers.onesignal.responses import classify
from shared.errors import Rejected
from tests.unit.decoders import DECODERS, READERS, UUID

ROOT = Path(__file__).parents[2]
READING = {
    "loads",
    "load_json",
    "load_bounded",
    "model_validate",
    "model_validate_json",
    "validate",
}
READING |= {"validate_json", "validate_python", "b64decode", "parse", "read_answer"}

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


everyone = pytest.mark.parametrize("name", DECODERS)
briefly = settings(max_examples=40, deadline=None)  # a decoder; all of them in a few seconds


def spoiled(valid: dict[str, Any], path: list[int], value: Any) -> dict[str, Any]:
    """Return a copy in which one value somewhere inside is replaced."""
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


@everyone
@pytest.mark.parametrize("depth", [200, 600, 1_010, 1_023])
def test_as_deep_as_a_parser_goes(name: str, depth: int) -> None:
    # Between where Python's own recursion ends, and where a parser's does.
    for nest in (b"[" * depth + b"]" * depth, b'{"data":' * depth + b"1" + b"}" * depth):
        reads_or_rejects(DECODERS[name][0], nest)


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


@briefly
@given(
    status=st.sampled_from([200, 202, 302, 400, 401, 403, 404, 418, 429, 500]),
    key=st.sampled_from(["errors", "error", "players", "messageable_players"]),
    body=ANYTHING,
)
def test_answers_to_the_connections_test(status: int, key: str, body: Any) -> None:
    for nested in (body, {key: body}, {key: [body]}):
        result = parse_result(httpx.Response(status, content=_dumps(nested)))
        assert result.result and isinstance(result.message, str)
        for count in (result.players, result.messageable_players):
            assert count is None or (type(count) is int and count >= 0)
        assert orjson.dumps(result)


@pytest.mark.parametrize("depth", [200, 990, 1_010, 1_022, 5_000])
@pytest.mark.parametrize("key", [b"errors", b"error", b"id", b"players"])
@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_answers_without_end(status: int, key: bytes, depth: int) -> None:
    # A parser takes 1,024 levels; Python's own recursion ends somewhere before.
    for nest in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        body = b'{"%s":%s}' % (key, nest)
        classify(status, {}, body)
        parse_result(httpx.Response(status, content=body))


@briefly
@given(line=st.binary(max_size=60) | ANYTHING.map(lambda value: _dumps(value)))
def test_head_of_a_snapshot(tmp_path_factory: pytest.TempPathFactory, line: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "one.snapshot"
    path.write_bytes(gzip.compress(line) if line[:1] != b"\x1f" else line)
    with pytest.raises(Rejected):
        read_header(path)


def test_every_reader_is_tried() -> None:
    # A module that begins to read must name where that is tried.
    found = set()
    for service in ("shared", "ingest_service", "sender_service"):
        for path in (ROOT / service).rglob("*.py"):
            calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            if READING & {getattr(c.func, "attr", getattr(c.func, "id", "")) for c in calls}:
                found.add(str(path.relative_to(ROOT)))
    assert found == set(READERS)


def _dumps(value: Any) -> bytes:
    """Encode as others do: also what orjson refuses (large numbers, lone surrogates)."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return json.dumps(value).encode()
