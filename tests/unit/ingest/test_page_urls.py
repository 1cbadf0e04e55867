"""Tests of what is kept of a page's address (docs/security.md)."""

from __future__ import annotations

import time

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest_service.parsing.page_urls import mask_url
from shared.models.app import MASKED_PARAMETERS, App, ParameterWords
from shared.models.wire import load_json
from tests.support.page_urls import PATHS, SHOP
from tests.unit.ingest.validation import APP, validate_event


@pytest.mark.parametrize(("given", "kept"), PATHS)
def test_decision_6_secrets_and_fragments_are_not_kept(given: str, kept: str) -> None:
    assert mask_url(SHOP + given, MASKED_PARAMETERS) == SHOP + kept
    assert mask_url(SHOP + kept, MASKED_PARAMETERS) == SHOP + kept  # once is enough


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://anna:secret@shop.example/a", "https://shop.example/a"),
        ("android-app://anna:secret@shop.example/a", "android-app://shop.example/a"),
        (" https://anna:secret@shop.example/a", "https://shop.example/a"),
        ("//anna@shop.example/a?b=1", "//shop.example/a?b=1"),
        ("https://shop.example/@anna", "https://shop.example/@anna"),
        ("about:blank", "about:blank"),
        ("", ""),
    ],
)
def test_decision_6_user_names_are_not_kept(given: str, kept: str) -> None:
    assert mask_url(given, MASKED_PARAMETERS) == kept


@pytest.mark.parametrize(
    "part", ["%26", "&", "?", ";", "a", "=", "%3D", "%3F=", "%26a%3D", "aA", "//"]
)
def test_decision_6_time_is_linear_in_the_length(part: str) -> None:
    """Thirty times the longest address: at a quadratic cost this would take minutes."""
    began = time.monotonic()
    mask_url("//?" + part * (262_144 // len(part)), MASKED_PARAMETERS)
    assert time.monotonic() - began < 5


def test_decision_6_events_are_published_without_secrets() -> None:
    page = {"url": SHOP + "/reset?token=abc#x", "referrer": SHOP + "/?email=anna%40shop.cz"}
    kept = load_json(validate_event({"type": "x", "visitorId": "v", "page": page}).value)["page"]
    assert kept == {"url": SHOP + "/reset?token=…", "referrer": SHOP + "/?email=…"}


def test_decision_6_an_app_names_its_own_parameters() -> None:
    words = ["coupon"]
    app = App.model_validate({**APP.model_dump(by_alias=True), "maskedParameters": words})
    assert mask_url("/?couponCode=1&token=2", app.masked_parameters) == "/?couponCode=…&token=2"


@pytest.mark.parametrize("words", [["Token"], ["a"], ["a b"], ["x" * 33], ["abcdefgh"] * 40])
def test_decision_6_words_that_no_name_has_are_refused(words: list[str]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ParameterWords).validate_python(words)
