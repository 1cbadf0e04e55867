"""Who reads a language, however browsers, other tools and shops write its tag (F17)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sender_service.models.segment import LanguageIs
from sender_service.planner.languages import spellings
from sender_service.planner.segment_filter import to_filter

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def is_selected(name: str, language: str) -> bool:
    """Evaluate the filter as a database does: by code points."""
    either: list[dict[str, Any]] = to_filter(LanguageIs(language=[name]), NOW)["$or"]
    exact, *ranges = (one["language"] for one in either)
    return language in exact["$in"] or any(r["$gte"] <= language < r["$lt"] for r in ranges)


@pytest.mark.parametrize(
    ("name", "language", "selected"),
    [
        ("cs", "cs", True),
        ("cs", "cs-CZ", True),
        ("cs", "cs_CZ", True),
        ("CS", "cs-CZ", True),
        ("cs", "csb", False),
        ("cs-cz", "cs-CZ", True),
        ("cs_CZ", "cs-CZ", True),
        ("cs-CZ", "cs_CZ", True),
        ("cs-CZ", "cs", False),
        ("zh-Hans", "zh-CN", True),
        ("zh-hans", "zh-SG", True),
        ("zh-Hans", "zh", True),
        ("zh-Hans", "zh-TW", False),
        ("zh-Hant", "zh-TW", True),
        ("zh-Hant", "zh-HK", True),
        ("zh-Hant", "zh-Hant-HK", True),
        ("zh-Hant", "zh", False),
        ("zh", "zh-TW", True),
    ],
)
def test_f17_segments_compare_languages_as_texts_do(
    name: str, language: str, selected: bool
) -> None:
    assert is_selected(name, language) == selected


@pytest.mark.parametrize("name", ["zh-Hans", "zh-Hant", "sr-Latn-RS", "cs"])
def test_f17_a_filter_stays_small(name: str) -> None:
    assert len(list(spellings(name))) <= 16
