"""Variables that aren't there, or aren't what a filter takes: the fault names the line and the variable."""

from __future__ import annotations

from typing import Any

import pytest

from sender_service.models.templates import render
from shared.errors import Rejected

NOBODY_VIEWED: dict[str, Any] = {
    "language": None,
    "viewed": [],
    "basket": {"total": None, "items": [{"item": None}]},
}
VARIABLES: dict[str, Any] = {
    "profile": NOBODY_VIEWED, "cart": {"total": "12", "list": [None, "a"]}, "name": None, "items": None,
    "price": "1,5", "count": 3, "code": "SPRING", "key": "secret",
}  # fmt: skip

ERRORS = {
    "{{ profile.language|upper }}": "profile.language is missing",
    "{{ profile.basket.total|money }}": "profile.basket.total is missing",
    "{{ cart.nokey|money }}": "cart.nokey is missing",
    "{{ cart['nokey']|money }}": "cart.nokey is missing",
    "{{ cart[key] }}": "cart[…] is missing",
    "{{ cart.get('nokey') }}": "get() is missing",
    "{{ cart.total|money }}": "cart.total|money: a number is expected, not a text",
    "{{ cart|number }}": "cart|number: a number is expected, not an object",
    "{{ code|date }}": "code|date: as 2027-03-05, or as 2027-03-05T12:00:00Z",
    "{{ count|sort|first }}": "count|sort: can't be applied to a number",
    "{{ profile.viewed[0].item }}": "profile.viewed[0] is missing",
    "{{ (profile.viewed|first).item }}": "profile.viewed|first is missing",
    "{{ profile.basket['items'][0].item|title }}": "profile.basket.items[0].item is missing",
    "{% for i in items %}x{% endfor %}": "items is missing",
    "{% for i in count %}x{% endfor %}": "count: a list is expected, not a number",
    "{% for i in cart.list %}{{ i|upper }}{% endfor %}": "i is missing",
    "{{ items|map(attribute='x')|join }}": "items is missing",
    "{{ cart.list|map('int')|join }}": "cart.list|map|join: int: a number is expected, not null",
    "{{ name|int }}": "name is missing",
    "{{ name|float }}": "name is missing",
    "{{ name|tojson }}": "name is missing",
    "{{ name|length }}": "name is missing",
    "{{ name ~ '!' }}": "name is missing",
    "{{ name[0:2] }}": "name is missing",
    "{{ name.upper() }}": "name is missing",
    "{{ name * 2 }}": "name is missing",
    "{% set n = name %}{{ n }}": "name is missing",
    "{% if name > 3 %}x{% endif %}": "name is missing",
    "{{ name and 'x' }}": "name is missing",
    "{{ price|float }}": "price|float: a number is expected, this text is none",
    "{{ code|int }}": "code|int: a number is expected, this text is none",
    "{{ cart|int }}": "cart|int: a number is expected, not an object",
    "{{ cart.total * 2 }}": "only numbers are multiplied, divided or added (cart.total)",
    "{% if cart.total > count %}x{% endif %}": "a value is of the wrong kind (cart.total, count)",
    "{% if code is even %}x{% endif %}": "code is even: only numbers are even, odd or divisible, of a text",
    "{{ count / (count - 3) }}": "a number is divided by 0 (count)",
}  # fmt: skip

READS = {
    "{{ profile.viewed[0].item|default('x') }}": "x",
    "{{ profile.viewed[0].item.more[1]|d('x') }}": "x",
    "{{ (profile.viewed|first).item|default('x') }}": "x",
    "{{ unknown.key|default('x') }}": "x",
    "{{ profile.language|default('x')|upper }}": "X",
    "{{ name or 'x' }}": "x",
    "{{ 'x' if not name }}": "x",
    "{% if name %}y{% else %}x{% endif %}": "x",
    "{% if name is none and name == none and name != 'y' %}x{% endif %}": "x",
    "{% if name is defined or profile.viewed[0].item is defined %}y{% else %}x{% endif %}": "x",
    "{% for i in items|default([]) %}y{% endfor %}x": "x",
    "{{ price|float(0) }} {{ code|int(7) }} {{ '42'|int }} {{ '1.5'|float }}": "0 7 42 1.5",
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), ERRORS.items())
def test_f3_n18_each_fault_names_the_line_and_the_variable(source: str, message: str) -> None:
    with pytest.raises(Rejected) as error:
        render("Ahoj\n" + source, VARIABLES)
    assert error.value.message == f"line 2: {message}"
    assert "secret" not in error.value.message


@pytest.mark.parametrize(("source", "reads"), READS.items())
def test_f3_null_is_missing_everywhere(source: str, reads: str) -> None:
    assert render(source, VARIABLES) == reads
