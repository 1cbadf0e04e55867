"""Every reason that a send, `why` or a report can print stands in the page for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from shared.models.delivery import Failed, Suppressed

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
REASONS = {"suppressed": set(get_args(Suppressed)), "failed": set(get_args(Failed))}
SOURCES = [path.read_text() for path in (ROOT / "sender_service").rglob("*.py")]
# How code says what became of a member or a chunk.
WRITTEN = re.compile(
    r'"(?P<outcome>suppressed|failed)",\s*(?:reason=)?"(?P<reason>[a-z_]+)"(?!:)'
    r'|(?:state|outcome)="(?P<state>suppressed|failed)", reason="(?P<of_chunk>[a-z_]+)"'
)
WAITING = re.compile(r'\bReason\("([a-z_]+)"')


def rows_of(first: str) -> set[str]:
    """Return the names in backticks of the table's rows that begin so."""
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {first}")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_c3_outcomes_of_the_page_are_those_of_the_code() -> None:
    assert {outcome: rows_of(outcome) for outcome in REASONS} == REASONS


def test_c3_what_the_code_writes_is_declared() -> None:
    matches = (match for text in SOURCES for match in WRITTEN.finditer(text))
    found = [match for match in matches if match["reason"] not in REASONS]  # no list of outcomes
    assert len(found) > 8
    for match in found:
        outcome = match["outcome"] or match["state"]
        reason = match["reason"] or match["of_chunk"]
        assert reason in REASONS[outcome], match[0]


def test_c3_what_a_send_waits_for_is_in_the_page() -> None:
    codes = {code for text in SOURCES for code in WAITING.findall(text)}
    assert len(codes) > 8
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
