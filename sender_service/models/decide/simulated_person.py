"""Simulated person: what would have become of her in an app's scenarios. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sender_service.models.decide.decision import RefuseReason
from sender_service.models.scenario.run import Run


class RefusedEntry(NamedTuple):
    at: datetime
    scenario: str
    why: RefuseReason


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Runs that a person would have had, and entries that were refused."""

    runs: Sequence[Run]
    refused: Sequence[RefusedEntry]
