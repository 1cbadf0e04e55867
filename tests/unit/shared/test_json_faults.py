"""Invalid JSON: line, column and reason, and nothing of the content."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from ingest_service.collect.batch import read_batch
from ingest_service.parsing.bounded_json import load_bounded
from sender_service.intake.lines import read_head, read_recipient
from sender_service.models.malformed import BadName
from sender_service.ops.bodies import load_exactly
from shared.errors import InvalidPayload
from shared.json_faults import OTHERWISE, describe_fault
from shared.models.wire import load_json

FAULTS = [
    (b"", "line 1, column 1: it is empty"),
    (b'{"secret": "jana"', "line 1, column 18: it ends too early"),
    (b'{\n "secret": "jana",\n jana: 1}', "line 3, column 2: a key in double quotes"),
    (b'{"secret" "jana"}', "line 1, column 11: a colon is expected"),
    (b'{"secret": "jana" "x": 1}', "line 1, column 19: a comma or a } is expected"),
    (b'["jana" 2]', "line 1, column 9: a comma or a ] is expected"),
    (b'{"secret": "jana",}', "a comma stands after the last entry"),
    (b'{"secret": NaN}', "line 1, column 12: a value is expected"),
    (b'{"secret": jana}', "line 1, column 12: a value is expected"),
    (b'{"secret": nul}', "true, false and null are the only words"),
    (b'{"secret": "ja\nna"}', "a text has a control character"),
    (b'{"secret": "ja\\na\\x"}', "a text has a backslash that means nothing"),
    (b'{"secret": 1}{}', "line 1, column 14: something follows after its end"),
    (b'{"secret": 01}', "a number begins with a 0"),
    (b'{"secret": -}', "a number ends too early"),
    (b'{"a": "\xc3\xa9",\n "secret": "jan\xe1"}', "line 2, column 16: it is not UTF-8"),
    (b"[" * 3_000, "it is nested too deep"),
    (b'{"secret": "\\ud83d jana"}', "a text has half a character"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place"), FAULTS)
def test_c3_position_and_reason(body: bytes, place: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        load_json(body)
    assert caught.value.code == "invalid_json"
    assert caught.value.message.startswith("the body is not JSON: line ")
    assert place in caught.value.message and OTHERWISE not in caught.value.message
    assert "jana" not in caught.value.message and "secret" not in caught.value.message


@pytest.mark.parametrize(("body", "place"), FAULTS[:-1])
def test_c3_faults_in_bodies_of_the_ops_api_have_a_place(body: bytes, place: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        load_exactly(body)
    assert caught.value.code == "invalid_json" and place in caught.value.message


@pytest.mark.parametrize("read", [read_batch, load_bounded])
@pytest.mark.parametrize(("body", "place"), FAULTS[:-1])
def test_c3_faults_in_bodies_of_ingest_have_a_place(
    read: Callable[[bytes], object], body: bytes, place: str
) -> None:
    with pytest.raises(InvalidPayload) as caught:
        read(body)
    assert caught.value.code == "invalid_json" and "jana" not in caught.value.message
    assert place in caught.value.message


def test_c3_a_fault_in_a_list_names_its_line_once() -> None:
    found = read_recipient(17, b'{"login": "jana" x}', 3)
    assert isinstance(found, BadName)
    assert found.message == "line 17: not JSON: column 18: a comma or a } is expected"
    with pytest.raises(InvalidPayload) as caught:
        read_head((1, b"{jana}"))
    assert caught.value.message == "line 1: not JSON: column 2: a key in double quotes is expected"


def test_what_the_parser_will_state_one_day_has_its_place_too() -> None:
    error = orjson.JSONDecodeError("quite another reason", "xx\nyy", 4)
    assert describe_fault(b"xx\nyy", error) == f"line 2, column 2: {OTHERWISE}"
    surrogate = orjson.JSONDecodeError("str is not valid UTF-8: surrogates", "", 0)
    assert describe_fault("a\n\ud800", surrogate).startswith("line 2, column 1: it is not UTF-8")
