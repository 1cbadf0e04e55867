"""Extrapolation from a sample of people, each of whom was taken with the same probability. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

Z95 = 1.959964  # of a normal distribution: 95 % are within so many deviations


class Estimate(NamedTuple):
    """Count in the sample, and in all: its likely value, and an interval of 95 %."""

    sample: int
    estimate: int
    low: int
    high: int


def extrapolate(counts: Mapping[int, int], share: float) -> Estimate:
    """Extrapolate a sum over people. `counts`: how many people add 1, 2, …; `share`: of all who are known.

    A score interval of a Poisson count: it is sound for few, and for none. People who add several
    widen it; a sample of all has none.
    """
    people = sum(counts.values())
    total = sum(value * of for value, of in counts.items())
    squares = sum(value * value * of for value, of in counts.items())
    size = squares / total if total else 1.0  # mean addition, by addition
    # Few people say little of how much each adds.
    count, z = total / size, Z95 * math.sqrt(1 - share) * (1 + 1 / (people + 1))
    middle, half = count + z * z / 2, z * math.sqrt(count + z * z / 4)
    low, high = (middle - half) * size / share, (middle + half) * size / share
    return Estimate(
        total, round(total / share), max(total, _below(low)), max(total, -_below(-high))
    )


def _below(value: float) -> int:
    return math.floor(round(value, 6))  # what sums and roots miss of a whole number is none
