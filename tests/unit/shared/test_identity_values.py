"""Texts that name nobody."""

from __future__ import annotations

import pytest

from shared.identity_values import is_placeholder


@pytest.mark.parametrize(
    "value",
    ["undefined", "UNDEFINED", " null ", "0", "NaN", "None", "[object Object]", "[object Window]",
     "{{ customer.id }}", "${user}", "id-${user.id}", "<%= login %>", "{% if x %}", "(not set)", "",
     "00000000-0000-0000-0000-000000000000"],
)  # fmt: skip
def test_f01_placeholders(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["1", "007", "00", "Anna", "anna@shop.example", "null@shop.example", "undefined1", "Nguyen",
     "a{b}", "$5", "object", "ř"],
)  # fmt: skip
def test_f01_names(value: str) -> None:
    assert not is_placeholder(value)


def test_f01_an_app_may_really_have_one() -> None:
    assert not is_placeholder("Guest", ["Guest"])
    assert is_placeholder("guest", ["Guest"])
