"""Terms of docs/glossary.md: the first column of its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.style.words import split_name

PATH = "docs/glossary.md"
_RULE = re.compile(r"\s*\|[\s:|-]+\|\s*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a table: terms that share a definition."""

    line: int
    terms: tuple[str, ...]
    definition: str


def read_glossary(text: str) -> list[Entry]:
    """Return the rows of all tables in a Markdown text, without their heads."""
    lines = text.splitlines()
    rules = {at for at, line in enumerate(lines) if _RULE.fullmatch(line)}
    return [
        _read_row(at + 1, line)
        for at, line in enumerate(lines)
        if line.lstrip().startswith("|") and at not in rules and at + 1 not in rules
    ]


def _read_row(number: int, line: str) -> Entry:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    terms = (term.strip(" `*") for term in re.split(r"[,;]", cells[0]))
    return Entry(number, tuple(filter(None, terms)), cells[-1] if len(cells) > 1 else "")


def term_words(entries: list[Entry]) -> frozenset[tuple[str, ...]]:
    """Return the terms of more than one word, each as its words."""
    split = {tuple(split_name(term)) for entry in entries for term in entry.terms}
    return frozenset(words for words in split if len(words) > 1)
