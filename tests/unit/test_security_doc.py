"""docs/security.md: each promise names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)


def _rows() -> list[str]:
    promises = (ROOT / "docs" / "security.md").read_text().split("## What an operator must set")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| ---", "| promise"))]


def test_each_promise_names_a_test_that_there_is() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in DEFINED.findall(path.read_text())
    }
    rows = _rows()
    assert len(rows) > 20
    assert [row for row in rows if not NAMED.findall(row)] == []
    assert {name for row in rows for name in NAMED.findall(row)} - defined == set()
