"""What an audit says: advisories by name, and never that what wasn't asked is sound."""

from __future__ import annotations

import orjson
import pytest

from deploy.audit import read_report, sentences

SOUND = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {
    "name": "b",
    "skip_reason": "Dependency not found on PyPI and could not be audited: b (1)",
}
FOUND = {"id": "PYSEC-2026-1", "fix_versions": ["3"], "aliases": [], "description": "…"}
UNSOUND = {"name": "c", "version": "2", "vulns": [FOUND]}


def said(*dependencies: object) -> list[str]:
    return sentences(read_report(orjson.dumps({"dependencies": dependencies, "fixes": []})))


def test_advisory_is_named_with_its_fix() -> None:
    assert said(SOUND, UNSOUND) == [
        "advisory: c 2: PYSEC-2026-1 (3)",
        "2 dependencies asked about, 1 advisories",
    ]


def test_what_could_not_be_asked_is_not_called_sound() -> None:
    assert said(SKIPPED) == ["not asked: no advisory data from here about 1 of 1 dependencies"]


def test_no_report_is_told() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        read_report(b"")
