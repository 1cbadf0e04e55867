"""Cases and races of the scenarios' design, as tests name them: `test_case_27_28_…`, `test_race_…`."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
CASE = re.compile(r"test_case_((?:\d+_)+)")
RACE = "test_race_"


class FoundTest(NamedTuple):
    file: str  # below `tests`
    name: str


def find_tests(prefix: str) -> list[FoundTest]:
    """Return the tests whose names begin so, by file and place."""
    found: list[FoundTest] = []
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        if prefix not in text:
            continue
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith(prefix):
                found.append(FoundTest(path.relative_to(TESTS).as_posix(), node.name))
    return found


def find_cases() -> dict[int, list[FoundTest]]:
    """Return number → its tests."""
    cases: dict[int, list[FoundTest]] = defaultdict(list)
    for found in find_tests("test_case_"):
        named = CASE.match(found.name)
        assert named, f"{found.name}: it has no number"
        for number in named[1].split("_")[:-1]:
            cases[int(number)].append(found)
    return dict(cases)
