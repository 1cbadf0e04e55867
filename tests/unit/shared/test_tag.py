"""The tag says what it says only under our key."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.push_tag import MAX_TAG, TagClaims, TagSigner

SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
TAGGER = TagSigner(b"k" * 32)


@given(
    st.uuids(),
    st.integers(0, 9_999),
    st.from_regex(r"[0-9]{1,4}(-[0-9]{1,3}){0,2}", fullmatch=True),
)
def test_reads_what_it_signed(send: uuid.UUID, page: int, chunk: str) -> None:
    tag = TAGGER.sign(str(send), page, chunk)
    assert TAGGER.verify(tag) == TagClaims(str(send), page, chunk)


def test_longest_tag_fits() -> None:
    assert len(TAGGER.sign(SEND, 9_999, "1999-1")) <= MAX_TAG


def test_each_changed_character_is_noticed() -> None:
    tag = TAGGER.sign(SEND, 12, "3")
    for at, was in enumerate(tag):
        changed = tag[:at] + ("1" if was != "1" else "2") + tag[at + 1 :]
        assert TAGGER.verify(changed) is None, changed


def test_foreign_key_is_refused() -> None:
    assert TagSigner(b"j" * 32).verify(TAGGER.sign(SEND, 0, "0")) is None


def test_foreign_key_with_our_key_id_is_refused() -> None:
    foreign = TagSigner(b"j" * 32)
    foreign._key_id = TAGGER._key_id
    assert TAGGER.verify(foreign.sign(SEND, 0, "0")) is None


@pytest.mark.parametrize(
    "tag",
    [None, 5, b"v1.a.b.0.0.c", ["v1"], {}, "", ".", "v1", "v1.....", "ü" * 10, "v1." * 30, "v1.\ud800.",
     "x" * (MAX_TAG + 1)],
)  # fmt: skip
def test_nonsense_is_none(tag: object) -> None:
    assert TAGGER.verify(tag) is None


@pytest.mark.parametrize("page", ["x", "", "-1", " 1", "1_0", "0x1"])
def test_page_that_is_no_number_is_none(page: str) -> None:
    assert TAGGER.verify(TAGGER.sign(SEND, page, "0")) is None  # type: ignore[arg-type]


def test_send_that_is_no_uuid_is_none() -> None:
    assert TAGGER.verify(TAGGER.sign("not-a-send", 0, "0")) is None


def test_too_long_is_none_although_genuine() -> None:
    assert TAGGER.verify(TAGGER.sign(SEND, 0, "1" * 60)) is None


@given(st.text(max_size=MAX_TAG + 5))
def test_any_text_is_verified_without_error(text: str) -> None:
    assert TAGGER.verify(text) is None
