"""Texts that must fit: cut after a word, and the reader sees it."""

from __future__ import annotations

import pytest

from shared.texts import shorten


@pytest.mark.parametrize(
    ("text", "most", "becomes"),
    [
        ("the name is missing", 19, "the name is missing"),
        ("the name is missing", 14, "the name is…"),
        ("x" * 30, 10, "x" * 9 + "…"),
        ("a " + "x" * 30, 10, "a " + "x" * 7 + "…"),
    ],
)
def test_c3_cut_texts_are_marked(text: str, most: int, becomes: str) -> None:
    assert shorten(text, most) == becomes
    assert len(becomes) <= most
