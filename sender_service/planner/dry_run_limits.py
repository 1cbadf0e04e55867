"""Limits of a dry run."""

from __future__ import annotations

from dataclasses import dataclass

SAMPLES = 3


@dataclass(frozen=True)
class DryRunLimits:
    """Limits of a dry run, checked between reads: the last read may exceed them."""

    people: int
    seconds: float
    samples: int = SAMPLES
