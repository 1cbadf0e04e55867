"""Tests that dear texts end soon: one that repeats something large quickly uses up its steps."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest

from sender_service.models.metering import PUSH_STEPS, meter
from sender_service.models.templates import check_template, compile_source, precompile, render
from shared.errors import Rejected

SECONDS = 0.5  # of the processor, with the garbage of other tests; seen: 0.003 to 0.012
WORDS = [f"w{n}-x" for n in range(20_000)]
CONTEXT: dict[str, Any] = {
    "many": list(range(20_000)),
    "distinct": list(range(100_000)),
    "long": "y" * 300_000,
    "nested": {str(n): {"a": [n] * 5, "b": {"c": str(n)}} for n in range(3_000)},
    "words": WORDS,
    "digits": "7" * 4_000,
    "text": "a-" * 9_000,
    "alike": ["y" * 900 + str(n) for n in range(300)],
}
IN_A_LOOP = [
    "text|title|length", "text|urlencode|length", "text|wordcount", "text|e|length", "text|trim|length",
    "long|upper|length", "long|lower|length", "long|capitalize|length", "long|truncate(9)",
    "long|reverse|length", "long|list|length", "nested|string|length", "nested|tojson|length",
    "nested|dictsort|length", "alike|sort|length", "alike|unique|list|length", "words|max", "words|min",
    "nested.values()|groupby('b.c')|length", "words|list|last", "words|reverse|list|length",
    "many|map('abs')|map('abs')|map('abs')|sum", "words|select('eq', 'q')|list|length",
    "words|reject('in', words)|list|length", "nested.values()|selectattr('b.c', 'eq', 'q')|list|length",
    "text.split('-')|length", "long.count('yyyyyyyyyyyyyyyyyz')", "long.find('z')", "long.title()|length",
    "long.strip()|length", "words.count('q')", "'z' in long", "-1 in distinct", "nested == nested",
    "[words, words] in [[words, words]]", "many[1:]|length", "long[1:]|length", "digits|float",
    "long is lower",
    "words is eq(words)", "nested.items()|list|length", "words|first|upper|lower|trim|capitalize|string|e",
    "'q' in nested.values()", "nested.keys()|sort|length",
]  # fmt: skip


@pytest.mark.parametrize("expression", IN_A_LOOP)
def test_a3_repeating_what_is_large_ends_soon(expression: str) -> None:
    source = (
        "{% for a in range(1000) %}{% for b in range(1000) %}{{ " + expression + " }}{% endfor %}"
    )
    source += "{% endfor %}"
    compile_source(source)
    began = time.thread_time()
    with pytest.raises(Rejected):
        render(source, CONTEXT)
    assert time.thread_time() - began < SECONDS
    assert meter.spent <= PUSH_STEPS


@pytest.mark.parametrize(
    "source",
    ["{% for a in range(600) %}{% for b in range(150) %}{% endfor %}{% endfor %}x",
     "{% for a in many %}{% for b in many if b < 0 %}x{% endfor %}{% endfor %}x",
     "{% for a in range(1000) %}" + "{{ nested.q|d('') }}" * 90 + "{% endfor %}x",
     "{% for a in range(1000) %}" + "{% if nested.q is defined and a.b.c %}x{% endif %}" * 30
     + "{% endfor %}",
     "{% for a in words %}{{ loop.changed(a) }}{{ loop.cycle(a, a) }}{{ loop.length }}{% endfor %}"],
    ids=lambda source: source[:60],
)  # fmt: skip
def test_a3_long_loops_end_soon(source: str) -> None:
    compile_source(source)
    began = time.thread_time()
    with pytest.raises(Rejected):
        render(source, CONTEXT)
    assert time.thread_time() - began < SECONDS


@pytest.mark.parametrize(
    "source",
    ["{{ 'x'|round(9, 'ceil') }}", "{{ '%999999999d' is odd }}", "{{ '%999999999d' is even }}",
     "{{ '%999999999d' is divisibleby(1) }}", "{{ digits|int }}", "{{ 5 is divisibleby('x') }}",
     "{{ nested.keys() - words }}", "{{ 999999999999999 * 999999999999999 }}"],
)  # fmt: skip
def test_a3_numbers_are_bounded_where_they_are_made(source: str) -> None:
    began = time.thread_time()
    with pytest.raises(Rejected):
        render(source, CONTEXT)
    assert time.thread_time() - began < SECONDS


def test_a3_nothing_is_worked_out_while_a_text_is_compiled() -> None:
    # What is made of constants alone would be, uncounted.
    source = "{{ range(1000)|list|sort|map('abs')|sum }}{{ '%9d' if false else '' }}"
    meter.start(0)
    compile_source(source)
    assert render(source, {}) == "499500"


def test_a3_an_ordinary_text_takes_few_steps() -> None:
    items = [{"name": "Tea", "price": 4.5}] * 20
    source = (
        "{% for i in items %}{{ i.name|title }}{{ ', ' if not loop.last }}{% endfor %}:"
        " {{ items|sum(attribute='price')|round(2) }}"
    )
    assert render(source, {"items": items})
    assert meter.spent < PUSH_STEPS / 50


def test_a3_what_was_checked_ahead_costs_the_loop_nothing() -> None:
    # A campaign's texts may take seconds to look at; good and bad ones alike.
    texts = [f"{{{{ a{n} }}}}" * 100 for n in range(50)]
    texts += [f"{{{{ a{n} }}}}" * 100 + "{% macro x() %}{% endmacro %}" for n in range(50)]
    precompile(texts)
    began = time.thread_time()
    for text in texts:
        with suppress(ValueError):
            check_template(text)
    assert time.thread_time() - began < 0.05
