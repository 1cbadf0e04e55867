"""Tests that what a person reads is a text or a number as people write it, nothing of Python's."""

from __future__ import annotations

from typing import Any

import pytest

from sender_service.models.templates import check_template, render
from sender_service.planner.rendering import Renderer
from shared.errors import Rejected
from tests.support.builders import campaign, profile, variant


def _reads(source: str, **variables: Any) -> str:
    return render(check_template(source), variables)


def _fails(source: str, **variables: Any) -> str:
    with pytest.raises(Rejected) as caught:
        _reads(source, **variables)
    assert caught.value.code == "bad_variables"
    return caught.value.message


@pytest.mark.parametrize(
    "source",
    ["Ahoj {{ name }}", "{{ 'Ahoj ' ~ name }}", "{{ [name, 'x']|join(' ') }}", "{{ name|upper }}",
     "{{ name|title }}", "{{ name|trim }}", "{{ name|truncate(3) }}", "{{ name|string }}",
     "{{ name|urlencode }}", "{{ 'x'|replace('x', name) }}", "{{ name.first }}", "{{ name|escape }}"],
)  # fmt: skip
def test_f3_null_is_as_good_as_missing(source: str) -> None:
    _fails(source, name=None)


def test_f3_null_has_a_default() -> None:
    assert _reads("Ahoj {{ name|default('kamaráde') }}", name=None) == "Ahoj kamaráde"
    assert _reads("{{ cart.name|d('x') }}", cart={"name": None}) == "x"
    assert _reads("{{ 'y' if name is defined else 'n' }}", name=None) == "n"
    assert _reads("{{ 'y' if name is undefined else 'n' }}", name=None) == "y"
    assert _reads("{% if name %}y{% else %}n{% endif %}", name=None) == "n"
    assert _reads("{{ name or 'x' }}", name=None) == "x"


def test_f3_null_in_a_profile_is_missing_too() -> None:
    of = campaign(variant(contents={"en": "{{ profile.timeZone }}"})).variants[0]
    with pytest.raises(Rejected):
        Renderer({}).render(of, profile("p", timeZone=None), {})


def test_f3_a_key_comes_before_a_method() -> None:
    assert _reads("{{ cart.items[0] }}", cart={"items": ["bota"]}) == "bota"
    assert _reads("{{ cart.items|length }}", cart={"items": ["a", "b"]}) == "2"
    assert _reads("{{ cart.values }}{{ cart.get }}", cart={"values": "v", "get": "g"}) == "vg"
    assert _reads("{% for k, v in cart.items() %}{{ k }}{{ v }}{% endfor %}", cart={"a": 1}) == "a1"


@pytest.mark.parametrize(
    "source",
    ["{{ cart.items }}", "{{ cart.get }}", "{{ name.upper }}", "{{ range }}", "{{ range(3) }}",
     "{{ [1]|map('abs') }}", "{{ cart.items() }}", "{{ cart.keys() }}", "{{ self }}",
     "{{ cart.items ~ '' }}",
     "{{ [name.upper]|join }}", "{% for a in [1] %}{{ loop }}{% endfor %}", "{{ name.upper|string }}"],
)  # fmt: skip
def test_f3_nothing_of_python_is_rendered(source: str) -> None:
    _fails(source, cart={"a": 1}, name="x")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1290.0, "1290"), (1290, "1290"), (19.9, "19.9"), (0.1 + 0.2, "0.3"), (-4.0, "-4"),
     (0.0000001, "0.0000001"),
     (2**53, "9007199254740992"), (2**60, "1152921504606846976"), (1e15, "1000000000000000"), (-0.0, "0")],
)  # fmt: skip
def test_f4_numbers_are_written_as_people_write_them(value: float, text: str) -> None:
    for source in ("{{ n }}", "{{ '' ~ n }}", "{{ [n]|join }}", "{{ n|string }}"):
        assert _reads(source, n=value) == text


@pytest.mark.parametrize("value", [True, False, [1], {"a": 1}, 1e16, 1e300])
def test_f4_what_is_no_text_is_not_rendered(value: Any) -> None:
    _fails("{{ n }}", n=value)
    _fails("{{ '' ~ n }}", n=value)


def test_f4_rounding() -> None:
    assert _reads("{{ n|round }}", n=1234.5) == "1234"
    assert _reads("{{ n|round(2) }}", n=19.999) == "20"
    assert _reads("{{ n * 2.5 }} {{ 7 / 2 }} {{ 8 / 2 }}", n=2) == "5 3.5 4"


def _in(language: str, text: str, **variables: Any) -> str:
    texts = {"en": text, language: text}
    of = campaign(variant(contents=texts)).variants[0]
    body = Renderer(variables).render(
        of, profile("p", language=language, timeZone="Asia/Tokyo"), {}
    )
    return str(body.text)


@pytest.mark.parametrize(
    ("language", "text", "rendered"),
    [
        ("en", "{{ 19.9|money(2) }}", "19.90"),
        ("en", "{{ 1234.5|money }}", "1,234.50"),
        ("cs", "{{ 1234.5|money(2) }}", "1\xa0234,50"),
        ("de", "{{ 1234.5|money(2) }}", "1.234,50"),
        ("cs", "{{ 1290|money(0, 'CZK') }}", "1\xa0290\xa0Kč"),
        ("de", "{{ 19.9|money(2, 'EUR') }}", "19,90\xa0€"),
        ("en", "{{ 19.9|money(currency='USD') }}", "$19.90"),
        ("cs", "{{ 1234567.5|number }}", "1\xa0234\xa0567,5"),
        ("en", "{{ 1234567.0|number }}", "1,234,567"),
        ("en", "{{ 0.5|number(2) }}", "0.50"),
        ("en", "{{ 2.665|money }}", "2.67"),
        ("en", "{{ 2.5|money(0) }} {{ 3.5|money(0) }} {{ 0.5|money(0) }}", "3 4 1"),
        ("en", "{{ 1.005|money }} {{ -2.665|money }} {{ 2.6649|money }}", "1.01 -2.67 2.66"),
        ("cs", "{{ 2.5|money(0, 'CZK') }}", "3\xa0Kč"),
        ("en", "{{ 2.665|money(2, 'EUR') }}", "€2.67"),
        ("en", "{{ 2.665|number(2) }} {{ 0.0000005|number }}", "2.67 0.000001"),
        ("en", "{{ 9007199254740991|money }}", "9,007,199,254,740,991.00"),
        ("en", "{{ '2027-03-05'|date }}", "March 5, 2027"),
        ("cs", "{{ '2027-03-05'|date }}", "5. března 2027"),
        ("de", "{{ '2027-03-05'|date('medium') }}", "05.03.2027"),
        ("en", "{{ '2027-03-05T20:00:00Z'|date }}", "March 6, 2027"),
        ("en", "{{ 1|plural('item', 'items') }}{{ 2|plural('item', 'items') }}", "itemitems"),
        ("cs", "{{ 1|plural('věc', 'věci', 'věcí') }}", "věc"),
        ("cs", "{{ 3|plural('věc', 'věci', 'věcí') }}", "věci"),
        ("cs", "{{ 5|plural('věc', 'věci', 'věcí') }}", "věcí"),
        ("pl", "{{ 5|plural(one='a', few='b', many='c', other='d') }}", "c"),
    ],
)  # fmt: skip
def test_f4_formats_by_language(language: str, text: str, rendered: str) -> None:
    assert _in(language, text) == rendered


def test_f4_links_and_buttons_are_written_in_the_contents_language() -> None:
    # Not in any language that a browser reports: each that is used is kept in memory.
    button = {"id": "b", "text": "{{ 1234.5|money }}"}
    of = campaign(variant(contents={"en": "x", "cs": "y"}, buttons=[button])).variants[0]
    texts = [
        Renderer({}).render(of, profile("p", language=language), {}).buttons[0].text
        for language in ("cs-CZ", "de", "en")
    ]
    assert texts == ["1\xa0234,50", "1,234.50", "1,234.50"]


@pytest.mark.parametrize(
    "source",
    ["{{ 'x'|money }}", "{{ true|money }}", "{{ 1|money(99) }}", "{{ 1|money(2, 'EURO') }}",
     "{{ 1e300|number }}",
     "{{ 'x'|date }}", "{{ 5|date }}", "{{ '2027-03-05'|date('tiny') }}", "{{ 1|plural('x') }}",
     "{{ 1|plural(one=5) }}", "{{ ''|plural('a', 'b') }}", "{{ none|money }}"],
)  # fmt: skip
def test_f4_what_is_no_number_or_date_is_bad(source: str) -> None:
    _fails(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("Hi {{ name }}", "line 1: name is missing"),
        ("Hi\n{{ cart.total }}", "line 2: cart.total is missing"),
        ("\n\n{{ nothing }}", "line 3: nothing is missing"),
        ("{{ cart.none }}", "line 1: cart.none is missing"),
        ("{{ flag }}", "line 1: flag: a yes or no is no text"),
        ("{{ cart }}", "line 1: cart: an object is no text"),
    ],
)
def test_n18_the_variable_and_the_line_are_named(source: str, message: str) -> None:
    variables = {"cart": {"none": None}, "nothing": None, "flag": True}
    assert _fails(source, **variables) == message


def test_n18_no_value_is_named() -> None:
    message = _fails("{{ cart[who] }}", cart={}, who="jane@shop.example")
    assert "jane" not in message
