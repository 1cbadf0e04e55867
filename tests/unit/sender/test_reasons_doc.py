"""Reasons: the Literals, the pinned list of the design and the page for people agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from shared.reasons import FailedReason, NotApplicable, SuppressedReason

ROOT = Path(__file__).parents[3]
DESIGN = (ROOT / "docs" / "design.md").read_text()
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
REASONS = {"suppressed": set(get_args(SuppressedReason)), "failed": set(get_args(FailedReason))}
SOURCES = [path.read_text() for path in (ROOT / "sender_service").rglob("*.py")]
WAITING = re.compile(r'\b(?:_waiting|NotSending)\("([a-z_]+)"')


def rows_of(first: str) -> set[str]:
    """Return the names in backticks of the table's rows that begin so."""
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {first}")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_c3_outcomes_of_the_page_are_those_of_the_code() -> None:
    assert {outcome: rows_of(outcome) for outcome in REASONS} == REASONS


def test_c3_outcomes_of_the_design_are_those_of_the_code() -> None:
    (pinned,) = re.findall(r"\*\*Reasons\*\*, (.*?)\.\n", DESIGN, re.DOTALL)
    lists = re.findall(r"(\w+):\s+`([\w,\s]+)`", pinned)
    assert {outcome: set(re.findall(r"\w+", names)) for outcome, names in lists} == REASONS


def test_details_of_the_page_and_the_design_are_those_of_the_code() -> None:
    declared = set(get_args(NotApplicable))
    table = PAGE.split("| detail | cause |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == declared
    (pinned,) = re.findall(r"summed in `notApplicable`: `([\w,\s]+)`", DESIGN)
    assert set(re.findall(r"\w+", pinned)) == declared


def test_c3_what_a_send_waits_for_is_in_the_page() -> None:
    sources = [*SOURCES, (ROOT / "shared" / "models" / "app.py").read_text()]
    codes = {code for text in sources for code in WAITING.findall(text)}
    assert len(codes) > 8
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
