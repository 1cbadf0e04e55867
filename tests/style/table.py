"""Figures as lines of text: the table, and the places behind a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.style.ceilings import Limit
from tests.style.finding import Figure, Finding


def table_lines(figures: Iterable[Figure], limits: Mapping[str, Limit]) -> Iterator[str]:
    yield _line("", "key", "today", "ceiling", "goal", "")
    for figure in figures:
        limit = limits[figure.key]
        goal = "-" if limit.goal is None else f"{limit.goal:g}"
        yield _line(
            limit.title,
            figure.key,
            f"{figure.value:g}",
            f"{limit.ceiling:g}",
            goal,
            _note(figure, limit),
        )


def _note(figure: Figure, limit: Limit) -> str:
    if figure.value > limit.ceiling:
        return "above its ceiling"
    if figure.value < limit.ceiling:
        return "lower the ceiling: --lower"
    return "reached" if limit.goal is not None and figure.value <= limit.goal else ""


def _line(title: str, key: str, today: str, ceiling: str, goal: str, note: str) -> str:
    return f"{title:<58} {key:<26} {today:>7} {ceiling:>8} {goal:>6}  {note}".rstrip()


def matching(figures: Iterable[Figure], key: str, folder: str) -> list[Finding]:
    """Return the places of a figure, or of a kind of them, below a folder; each once."""
    found = [
        finding
        for figure in figures
        if key in ("", figure.key, figure.kind)
        for finding in figure.findings
        if is_below(finding.path, folder)
    ]
    return sorted(dict.fromkeys(found))


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder's, a folder's short name ("sender") or a file's."""
    whole = folder.rstrip("/")
    short = f"{whole}_service"
    return not whole or path == whole or path.startswith((f"{whole}/", f"{short}/"))
