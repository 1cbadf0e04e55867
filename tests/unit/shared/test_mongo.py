"""Queries for many values: none asks for more at once than every server answers quickly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.mongo.client import IN_LIMIT, in_batches

ROOT = Path(__file__).parents[3]
# The one helper; a bounded batch, two fixed states, values of a segment, which has its own limit, and a
# token's apps, which are at most a hundred.
BY_HAND = {
    "shared/mongo/client.py",
    "shared/mongo/whole_reads.py",
    "ingest_service/projector/reading.py",
    "sender_service/store/send_pages.py",
    "ingest_service/projector/store.py",
    "ingest_service/replay/staging.py",
    "sender_service/store/recent.py",
    "sender_service/store/firings.py",
    "sender_service/store/scenario_erasure.py",
    "sender_service/store/tasks.py",
    "sender_service/store/sends.py",
    "sender_service/planner/segment_filter.py",
}


@pytest.mark.parametrize("count", [0, 1, IN_LIMIT, IN_LIMIT + 1, 3 * IN_LIMIT])
def test_all_values_are_asked_for_once(count: int) -> None:
    values = [str(n) for n in range(count)]
    queries = list(in_batches("send", values))
    assert [v for query in queries for v in query["send"]["$in"]] == values
    assert all(1 <= len(query["send"]["$in"]) <= IN_LIMIT for query in queries)


def test_nobody_cuts_by_hand() -> None:
    written = re.compile(r'"\$in":')
    found = {
        str(path.relative_to(ROOT))
        for service in ("shared", "ingest_service", "sender_service")
        for path in (ROOT / service).rglob("*.py")
        if written.search(path.read_text())
    }
    assert found <= BY_HAND
