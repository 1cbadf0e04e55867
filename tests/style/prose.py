"""Told and said: in names, comments and strings alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.style.finding import Finding
from tests.style.sources import Source

_REPORTING = re.compile(
    r"(?<![A-Za-z])(?:told|said|Told|Said|TOLD|SAID)(?![a-z])|(?<=[a-z])(?:Told|Said)(?![a-z])"
)


def find_reporting_words(sources: Iterable[Source]) -> list[Finding]:
    """Find each told and said; one in two places of a line counts twice."""
    return [
        Finding(source.path, number, line.strip())
        for source in sources
        for number, line in enumerate(source.text.splitlines(), start=1)
        for _ in _REPORTING.finditer(line)
    ]
