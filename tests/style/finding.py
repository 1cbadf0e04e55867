"""Results of a measure: a place in the code, and a figure over all of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A place that a figure counts."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `key` names its ceiling; the part before the dot is its kind."""

    key: str
    value: float
    findings: list[Finding] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.key.partition(".")[0]


def per(count: int, whole: int, unit: int) -> float:
    """Return the rate of a count in so many units, to one decimal; 0 of nothing."""
    return round(unit * count / whole, 1) if whole else 0.0
