"""Sentences about decisions: one of each rule for who passes, and for who is stopped."""

from __future__ import annotations

import pytest

from sender_service.models.decide import decide as rules
from sender_service.models.decide.decision import Check
from sender_service.models.decide.sentences import _PASSED, _STOPPED, describe_check

NAMES = {
    name
    for named in (
        rules.ENTRY,
        rules.CLOCK_ENTRY,
        rules.WAKE,
        rules.FIRED,
        rules.CHOOSE,
        rules.ITEMS,
    )
    for name, _ in named
}


@pytest.mark.parametrize("sentences", [_PASSED, _STOPPED])
def test_every_rule_has_its_sentence(sentences: dict[str, str]) -> None:
    assert {key.partition(":")[0] for key in sentences} == NAMES
    assert sentences.keys() >= NAMES


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (Check("until", True, "none"), "There are no exits."),
        (Check("until", False, "bought"), "The person bought something since the entry."),
        (Check("on", False, "off at 2026-11-01T12:00:00.000Z"),
         "The scenario was off at 2026-11-01T12:00:00.000Z."),
        (Check("on", False, ""), "The scenario is off."),
        (Check("off", True, ""),
         "The step is not due yet, so it doesn't matter whether the scenario is off."),
        (Check("late", False, "in time until {0}"), "It is too late: in time until {0}."),
    ],
)  # fmt: skip
def test_details_make_the_sentence(check: Check, sentence: str) -> None:
    assert describe_check(check) == sentence
