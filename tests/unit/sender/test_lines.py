"""Lists one a line: whatever pieces they come in; and the set of what was met."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.intake import lines
from sender_service.intake.lines import read_head, read_recipient, to_lines
from sender_service.models.malformed import BadName
from sender_service.models.trigger import MAX_TRIGGER_BYTES
from sender_service.planner.text_index import FIRST_SIZE, TextHashSet, TextIndex
from shared.errors import InvalidPayload, TooLarge


async def _pieces(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _lines(*pieces: bytes) -> list[tuple[int, bytes]]:
    return [line async for line in to_lines(_pieces(pieces))]


@given(
    st.binary(max_size=60).map(lambda b: b.replace(b"\x01", b"\n")), st.lists(st.integers(0, 60))
)
async def test_pieces_make_no_difference(body: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in zip(at, at[1:], strict=False)]
    whole = [(n, line) for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    assert await _lines(*pieces) == whole


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b"null", b'"x"', b"{}", b'{"login":"a","visitor":"b"}']
)
def test_a_line_that_is_wrong_as_a_whole_is_named_by_its_number(line: bytes) -> None:
    found = read_recipient(3, line, 2)
    assert isinstance(found, BadName)
    assert found.message.startswith(("line 3: must be an object", "line 3: give exactly one of"))
    if not line.startswith(b"{"):
        with pytest.raises(InvalidPayload) as caught:
            read_head((1, line))
        assert caught.value.message.startswith("line 1: must be an object")
        assert [error.field for error in caught.value.errors] == ["lines.1"]


async def test_a_line_without_end_is_refused_before_it_is_whole() -> None:
    with pytest.raises(TooLarge) as caught:
        await _lines(b"{}\n", *[b"x" * 2**16] * 17)
    assert caught.value.message == "line 2 has more than 1 MiB"
    assert len(await _lines(b"x" * MAX_TRIGGER_BYTES)) == 1


async def test_a2_upload_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of empty lines too, of which nothing is kept.
    monkeypatch.setattr(lines, "MAX_UPLOAD_BYTES", 2**20)
    for piece in (b"\n" * 2**16, b" \n" * 2**15, b"{}\n" * 2**14):
        with pytest.raises(TooLarge) as caught:
            await _lines(*[piece] * 40)
        assert caught.value.code == "list_too_large"


async def test_a2_line_in_tiny_pieces_is_put_together_once() -> None:
    began = time.monotonic()
    ((_, line),) = await _lines(*[b"xy"] * 400_000)
    assert len(line) == 800_000
    assert time.monotonic() - began < 4  # copied each time it was 160 GB


@given(st.lists(st.text("abc", max_size=4)))
def test_seen_is_a_set(texts: list[str]) -> None:
    seen, plain = TextHashSet(), set[str]()
    for text in texts:
        assert (text in seen) == (text in plain)
        assert seen.add(text) == (text not in plain)
        plain.add(text)
    assert len(seen) == len(plain) and all(text in seen for text in plain)


def test_seen_grows() -> None:
    seen = TextHashSet(str(n) for n in range(5 * FIRST_SIZE))
    assert len(seen) == 5 * FIRST_SIZE
    assert all(str(n) in seen for n in range(5 * FIRST_SIZE))
    assert not any(f"x{n}" in seen for n in range(1_000))


def test_places_keep_the_first_number_of_each_text() -> None:
    places, count = TextIndex(), FIRST_SIZE * 3
    for number in range(count):
        places.note(f"name {number}", number)
        places.note(f"name {number // 2}", 0)
    assert [places.number(f"name {number}") for number in range(count)] == list(range(count))
    assert places.number("nobody") is None
