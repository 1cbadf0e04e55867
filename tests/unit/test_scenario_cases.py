"""Tests that each case and race of the scenarios' design has a test, found by its name."""

from __future__ import annotations

import re

import pytest

from tests.support.scenario_cases import RACE, TESTS, FoundTest, find_cases, find_tests

NUMBERS = [*range(1, 37), 52]
# Words of the test's name, a race of section 3 each.
RACES = [
    "suspended_waker", "kill_9", "purchase_between_any_two_stages", "joined_with_both_runs_due",
    "joined_between_the_end", "edit_or_switch_off_between_claim", "campaign_is_switched_off",
    "erasure_under_an_open_firing", "clocks_that_differ_by_90_seconds", "player_that_changes_hands",
    "store_is_away_between_two_writes",
]  # fmt: skip
PAGE = (TESTS.parent / "docs" / "scenarios-cases.md").read_text()
NAMED = re.compile(r"`(\w+/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("number", NUMBERS)
def test_each_case_has_a_test(number: int) -> None:
    assert find_cases().get(number), f"no test_case_{number}_…"


@pytest.mark.parametrize("words", RACES)
def test_each_race_has_a_test(words: str) -> None:
    assert any(words in found.name for found in find_tests(RACE))


def test_the_page_names_tests_that_are_there_and_each_case() -> None:
    cases = find_cases()
    known = {*find_tests(RACE), *(found for of in cases.values() for found in of)}
    assert {FoundTest(*named) for named in NAMED.findall(PAGE)} <= known
    rows = {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) \|.*$", PAGE, re.MULTILINE)}
    assert rows.keys() >= {*NUMBERS}
    for number, row in rows.items():
        tests = {FoundTest(*named) for named in NAMED.findall(row)}
        assert tests and tests <= {*cases[number]}, number
