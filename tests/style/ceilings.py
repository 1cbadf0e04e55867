"""Ceilings and goals of the figures, kept in `ceilings.toml`. A ceiling only falls."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.style.finding import Figure

PATH = Path(__file__).with_name("ceilings.toml")
# A ceiling so far above its figure has to be lowered: what was reached could be lost unseen.
SLACK_SHARE = 0.25
SLACK_LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of one figure. `goal` is None where the architecture sets none."""

    title: str
    ceiling: float
    goal: float | None = None


def read_limits(path: Path = PATH) -> dict[str, Limit]:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: Limit(**values) for key, values in table.items()}


def above(figures: Iterable[Figure], limits: Mapping[str, Limit]) -> list[Figure]:
    """Return the figures above their ceilings."""
    return [figure for figure in figures if figure.value > limits[figure.key].ceiling]


def slack(figures: Iterable[Figure], limits: Mapping[str, Limit]) -> list[Figure]:
    """Return the figures so far below their ceilings that these must fall."""
    return [f for f in figures if limits[f.key].ceiling - f.value > allowed_slack(f, limits)]


def allowed_slack(figure: Figure, limits: Mapping[str, Limit]) -> float:
    return max(SLACK_LEAST, SLACK_SHARE * limits[figure.key].ceiling)


def lower(figures: Iterable[Figure], path: Path = PATH) -> list[str]:
    """Lower each ceiling to its figure, none is raised; return what was changed."""
    limits = read_limits(path)
    text = path.read_text(encoding="utf-8")
    changed = []
    for figure in figures:
        if figure.value < (before := limits[figure.key].ceiling):
            line = re.compile(rf'(?m)^("{re.escape(figure.key)}" = .*\bceiling = )[\d.]+')
            text = line.sub(rf"\g<1>{figure.value:g}", text)
            changed.append(f"{figure.key}: {before:g} -> {figure.value:g}")
    path.write_text(text, encoding="utf-8")
    return changed
