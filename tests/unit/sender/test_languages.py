"""Tests of who reads a language, however browsers, other tools and shops write its tag (F17)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sender_service.models.languages import choose, spellings
from sender_service.models.segment import LanguageIs
from sender_service.planner.segment_filter import to_filter
from tests.support.builders import campaign, variant

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


@pytest.mark.parametrize(
    ("names", "language", "chosen"),
    [
        (["no"], "nb-NO", "no"), (["no"], "nn-NO", "no"), (["nb"], "no", "nb"), (["nn"], "nb", "nn"),
        (["nn", "no"], "nb-NO", "no"), (["nb", "no"], "nb_NO", "nb"), (["nb", "no"], "nn", "no"),
        (["no-NO", "no"], "nb-NO", "no-NO"), (["nb", "no-NO"], "nb-NO", "nb"), (["he"], "iw-IL", "he"),
        (["iw"], "he-IL", "iw"), (["he", "iw"], "iw", "iw"), (["id"], "in-ID", "id"),
        (["in"], "id", "in"), (["yi"], "ji", "yi"), (["ji"], "yi-US", "ji"), (["id"], "it", "en"),
        (["no"], "da", "en"), (["fil"], "fil-PH", "fil"), (["es-419"], "es-419", "es-419"),
        (["es-419"], "es-MX", "en"), (["zh-Hant-HK", "zh-Hant"], "zh-HK", "zh-Hant"),
        (["zh-Hant-HK"], "zh_hant_hk", "zh-Hant-HK"),
    ],
)  # fmt: skip
def test_f17_old_and_common_names_meet(names: list[str], language: str, chosen: str) -> None:
    assert choose(dict.fromkeys(["en", *names], "x"), language) == chosen


@pytest.mark.parametrize(
    ("name", "language", "selected"),
    [
        ("no", "nb-NO", True), ("no", "nn-NO", True), ("nb", "no-NO", True), ("nb", "nn", False),
        ("nn", "nb", False), ("nn", "nn-NO", True), ("he", "iw-IL", True), ("iw", "he", True),
        ("id", "in-ID", True), ("in", "is", False), ("yi", "ji", True), ("no-NO", "nb-NO", True),
    ],
)  # fmt: skip
def test_f17_segments_know_other_names_of_languages(
    name: str, language: str, selected: bool
) -> None:
    assert is_selected(name, language) == selected


@pytest.mark.parametrize(
    ("names", "is_good"),
    [
        (["fil"], True), (["es-419"], True), (["zh-Hant-HK"], True), (["zh-Hant"], True),
        (["ca-valencia"], True), (["pt-BR", "pt"], True), (["pt-br"], True), (["de-1996"], True),
        (["sr-Latn-RS"], True),
        (["pt-BR", "pt-br"], False), (["zh-Hant", "zh-hant"], False), (["english"], False), (["e"], False),
        (["es-41"], False), (["cs_CZ"], False), (["en-"], False), (["EN"], False), (["pt-BR-"], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["headings", "contents"])
def test_f17_languages_of_campaign_texts(part: str, names: list[str], is_good: bool) -> None:
    texts = dict.fromkeys(["en", *names], "x")
    if is_good:
        assert set(getattr(campaign(variant(**{part: texts})).variants[0], part)) == set(texts)
    else:
        with pytest.raises(ValidationError):
            campaign(variant(**{part: texts}))
