"""Names of runs outside the sender: for paths, which end up in logs. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sender_service.models.scenario.run import Run

DIGEST_LENGTH = 12


def run_name(run: Run) -> str:
    """Return the run's name: its person, and a digest. Its id may hold an order, or a value of an event."""
    digest = hashlib.sha256(run.id.encode()).hexdigest()
    return f"{run.person}.{digest[:DIGEST_LENGTH]}"


def person_of(name: str) -> str:
    """Return the person of a run's name."""
    return name.partition(".")[0]


def find_run(name: str, runs: Iterable[Run]) -> Run | None:
    """Return the run of this name, of a person's runs."""
    return next((run for run in runs if run_name(run) == name), None)
