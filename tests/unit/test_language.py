"""Language and structure of the code: figures stay at their ceilings or below (`make style`)."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.style.ceilings import above, read_limits, slack
from tests.style.figures import LANGUAGE, STRUCTURE, measure
from tests.style.finding import Figure
from tests.style.glossary import PATH, read_glossary
from tests.style.names import old_words
from tests.style.sources import SERVICES, Checkout
from tests.style.words import split_name

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[LANGUAGE, STRUCTURE], ids=["language", "structure"])
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    checkout = Checkout(ROOT)
    if not checkout.names:
        pytest.skip("not a git checkout")
    return measure(checkout, request.param)


def test_figures_stay_below_their_ceilings(figures: list[Figure]) -> None:
    limits = read_limits()
    # `python -m tests.style --list KEY FOLDER` names the places.
    assert {f.key: (f.value, limits[f.key].ceiling) for f in above(figures, limits)} == {}


def test_ceilings_follow_what_was_reached(figures: list[Figure]) -> None:
    # `python -m tests.style --lower` lowers them.
    assert [f.key for f in slack(figures, read_limits())] == []


def test_glossary_defines_each_term_once() -> None:
    entries = read_glossary(Checkout(ROOT).text(PATH))
    terms = Counter(term.lower() for entry in entries for term in entry.terms)
    assert [term for term, count in terms.items() if count > 1] == []
    assert [entry.line for entry in entries if not entry.definition] == []


def test_glossary_terms_of_one_word_are_not_old() -> None:
    entries = read_glossary(Checkout(ROOT).text(PATH))
    single = [term for entry in entries for term in entry.terms if len(split_name(term)) == 1]
    assert [term for term in single if old_words(term)] == []


def test_glossary_names_are_in_the_code() -> None:
    checkout = Checkout(ROOT)
    names = re.findall(r"`([\w.]+)`", checkout.text(PATH).partition("## Names in the code")[2])
    code = "\n".join(s.text for s in checkout.sources if s.package in SERVICES)
    words = set(re.findall(r"\w+", code))
    assert names
    assert [name for name in names if not words.issuperset(name.split("."))] == []
