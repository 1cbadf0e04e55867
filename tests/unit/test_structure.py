"""Structure of the code: figures stay at their ceilings or below (`make style`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.style.ceilings import above, read_limits, slack
from tests.style.figures import STRUCTURE, measure
from tests.style.finding import Figure
from tests.style.sources import Checkout

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    checkout = Checkout(ROOT)
    if not checkout.names:
        pytest.skip("not a git checkout")
    return measure(checkout, STRUCTURE)


def test_structure_figures_stay_below_their_ceilings(figures: list[Figure]) -> None:
    limits = read_limits()
    # `python -m tests.style --list KEY FOLDER` names the places.
    assert {f.key: (f.value, limits[f.key].ceiling) for f in above(figures, limits)} == {}


def test_structure_ceilings_follow_what_was_reached(figures: list[Figure]) -> None:
    # `python -m tests.style --lower` lowers them.
    assert [f.key for f in slack(figures, read_limits())] == []
