"""Faults of templates, as their authors read them: whole sentences, none of the parser's own words."""

from __future__ import annotations

import re

import pytest

from sender_service.models.templates import check_template, render
from shared.errors import Rejected

PARSERS_WORDS = re.compile(
    r"print statement|statement block|token|Jinja|Encountered|unexpected|at \d"
)
LIKE = "a placeholder is like {{ name }}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ name", "it ends before }}"),
        ("{{ 'x }}", "a quote isn't closed"),
        (
            "{% if x %}a",
            "the text ends where a tag is expected that goes on or closes: elif or else",
        ),
        ("{% for x in y %}{% endif %}", "{% endif %} stands where a tag is expected"),
        ("{% endif %}", "there is no tag 'endif', or it closes nothing"),
        ("{{ name | foo }}", "there is no filter 'foo'"),
        ("{{ x is foo }}", "there is no test 'foo'"),
        ("{{ a.b. }}", "after a dot a name or a number is expected"),
        ("{{ user name }}", f"'name' stands where }}}} is expected; {LIKE}"),
        ("{{{ name }}}", f"'}}' stands where ':' is expected; {LIKE}"),
        ("{{ %name }}", f"'%' is not expected there; {LIKE}"),
        ("{{ name }", f"'}}' is not expected there; {LIKE}"),
        ("{{ }}", f"}}}} stands where a name is expected; {LIKE}"),
        ("{{ $name }}", f"the sign '$' has no meaning there; {LIKE}"),
        ("{{ x | default( }}", "'}' stands where ')' is expected"),
        ("{# x", "a comment isn't closed"),
        ("{% if x == ", "the end of the text is not expected there"),
    ],
)
def test_c3_faults_of_placeholders_are_whole_sentences(source: str, message: str) -> None:
    with pytest.raises(ValueError, match="^template, line 1: ") as caught:
        check_template(source)
    assert message in str(caught.value)
    assert not PARSERS_WORDS.search(str(caught.value))


def test_c3_an_entry_that_is_missing_is_called_so() -> None:
    with pytest.raises(Rejected, match=r"line 1: items\[3\] is missing"):
        render("{{ items[3] }}", {"items": [1]})
