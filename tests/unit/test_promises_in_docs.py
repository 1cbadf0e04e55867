"""Statements that only documents can make; each was missed by a reader once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import database

DOCS = Path(__file__).parents[2] / "docs"


def test_n21_first_steps_wait_for_the_profile() -> None:
    # An event is stored at once, and folded into a profile some milliseconds later.
    steps = (DOCS / "first-steps.md").read_text()
    commands = [line for line in steps.splitlines() if "/v1/profile" in line]
    assert commands and all(line.startswith("until ") for line in commands)
    assert "milliseconds later" in (DOCS / "events.md").read_text()


def test_b10_what_stays_on_an_embedded_disk_is_documented() -> None:
    text = (DOCS / "identity.md").read_text()
    assert "keeps its operation log" in text and "stay readable" in text


def test_e3_a_run_takes_the_server_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(database.GIVEN, raising=False)
    assert database.given() is None
    monkeypatch.setenv(database.GIVEN, "mongodb://db.example:27017")
    assert database.given() == "mongodb://db.example:27017"
    assert database.GIVEN in (DOCS / "mongo.md").read_text()
