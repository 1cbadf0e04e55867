"""Marks that no log line of ours may show, whichever test it is from: secrets and personal data.

Lines are searched for the shapes of these, so that a test need not know of it: the kinds of keys, sealed
secrets, addresses, emails, shops' pages, whole documents. What has no shape (a login, a variable) is
planted, with a mark in it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.logs import JsonFormatter
from shared.settings import DEVELOPMENT_SECRET

PLANTED = "planted"
SHAPES = (
    PLANTED,
    DEVELOPMENT_SECRET,
    r"(?<![A-Za-z0-9_])(?:wk|sk|wh|st|ops|cot|os_v2_app)_[A-Za-z0-9]",  # keys and tokens
    r"gAAAAA",  # secrets as they are sealed
    r"(?:Bearer|Basic) ",
    r"[\w.+-]+@[\w-]+\.\w",  # emails
    r"https?://[^\s\"]*\?",  # what is behind a question mark is whatever a shop puts there
    r"\.example\b",  # the pages, links and pictures of the tests' shops
    r"(?<![\d.])(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])",  # visitors' addresses
    # Whole events, profiles, campaigns, triggers:
    r"['\"](?:visitorId|playerID|login|email|restApiKey|loginHash|variables|headings)\\?['\"]\s*:",
)
SHAPE = re.compile("|".join(f"(?:{shape})" for shape in SHAPES).encode())
OURS = ("ingest", "sender", "replica")  # the logs of our services begin so, whoever starts them
MOST = 20  # findings that are reported


def search(folder: Path, values: Iterable[str] = ()) -> list[str]:
    """Return the lines, with their files' names, that show one of the shapes or of the values."""
    exact = [value.encode() for value in values]
    found: list[str] = []
    for path in sorted(folder.rglob("*.log")):
        if path.name.startswith(OURS):
            found += _search_one(path, exact)
    return found[:MOST]


def _search_one(path: Path, values: list[bytes]) -> Iterator[str]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if SHAPE.search(line) or any(value in line for value in values):
                yield f"{path.name}:{number}: {line.decode(errors='replace').strip()[:500]}"


class Listener(logging.Handler):
    """Hears what services log that run inside of pytest, as they would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter("test"))
        self.found: list[str] = []
        self.heard = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += 1
        line = self.format(record)
        if SHAPE.search(line.encode()):
            self.found.append(f"{os.environ.get('PYTEST_CURRENT_TEST')}: {line[:500]}")


@contextmanager
def listening_in() -> Iterator[Listener]:
    """Collect what services log by default: of our own loggers from INFO on, of libraries the warnings.

    Lines of single events, at DEBUG, are read in the files: properties are tried on millions of
    them.
    """
    listener = Listener()
    logging.getLogger("carillon").setLevel(logging.INFO)
    logging.getLogger().addHandler(listener)
    try:
        yield listener
    finally:
        logging.getLogger().removeHandler(listener)
