"""Tests of what an audit reports: advisories by name, and nothing unasked as sound."""

from __future__ import annotations

import orjson
import pytest

from deploy.audit import (
    NOT_ASKED,
    SOUND,
    UNSOUND,
    WAY_OUT,
    Findings,
    exit_code_of,
    read_report,
    sentences,
)

FINE = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {
    "name": "b",
    "skip_reason": "Dependency not found on PyPI and could not be audited: b (1)",
}
FOUND = {"id": "PYSEC-2026-1", "fix_versions": ["3"], "aliases": [], "description": "…"}
BAD = {"name": "c", "version": "2", "vulns": [FOUND]}


def findings(*dependencies: object) -> Findings:
    return read_report(orjson.dumps({"dependencies": dependencies, "fixes": []}))


def report_lines(*dependencies: object) -> list[str]:
    return sentences(findings(*dependencies))


def test_advisory_is_named_with_its_fix() -> None:
    assert report_lines(FINE, BAD) == [
        "advisory: c 2: PYSEC-2026-1 (3)",
        "2 dependencies asked about, 1 advisories",
    ]


def test_d7_what_could_not_be_asked_is_not_called_sound() -> None:
    not_asked = "not asked: no advisory data from here about 1 of 1 dependencies"
    assert report_lines(SKIPPED) == [f"{not_asked}; {WAY_OUT}"]
    assert "run `make audit` where" in WAY_OUT and "requirements/base.txt" in WAY_OUT


@pytest.mark.parametrize(
    ("dependencies", "code"),
    [
        ((FINE,), SOUND),
        ((FINE, BAD), UNSOUND),
        ((FINE, SKIPPED), NOT_ASKED),
        ((SKIPPED, BAD), UNSOUND),
        ((), NOT_ASKED),
    ],
)
def test_only_what_was_asked_and_found_sound_ends_with_0(
    dependencies: tuple[object, ...], code: int
) -> None:
    assert exit_code_of(findings(*dependencies)) == code


def test_no_report_is_reported() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        read_report(b"")
