"""Extrapolation from a sample: its interval holds the truth."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.decide.extrapolation import extrapolate


@given(
    counts=st.dictionaries(st.integers(1, 9), st.integers(1, 500), max_size=5),
    share=st.floats(0.001, 1),
)
def test_interval_contains_the_estimate(counts: dict[int, int], share: float) -> None:
    found = extrapolate(counts, share)
    assert found.sample == sum(value * people for value, people in counts.items())
    assert found.sample <= found.low <= found.estimate <= found.high
    whole = extrapolate(counts, 1.0)
    assert whole.low == whole.estimate == whole.high == whole.sample


@pytest.mark.parametrize(("people", "share"), [(40, 0.1), (400, 0.25), (3_000, 0.02)])
def test_interval_holds_the_truth_in_95_of_100_samples(people: int, share: float) -> None:
    random_ = random.Random(people)
    adds = [random_.choice([1, 1, 1, 2, 3]) for _ in range(people)]
    hits = 0
    for _ in range(600):
        sample = Counter(add for add in adds if random_.random() < share)
        found = extrapolate(sample, share)
        hits += found.low <= sum(adds) <= found.high
    assert 0.92 <= hits / 600 <= 1.0
