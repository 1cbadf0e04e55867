"""Documents of a replay and of the projectors that it pauses, as read (`projector.pause_barrier`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shared.mongo.client import Document


@dataclass(frozen=True, slots=True)
class ReplayState:
    """State of the lease: its run and phase, None while it is free; and its heartbeat."""

    run: str | None
    phase: str | None
    beat: int
    generation: int

    @classmethod
    def of(cls, stored: Document) -> Self:
        return cls(
            stored.get("run"),
            stored.get("phase"),
            stored.get("beat", 0),
            stored.get("generation", 0),
        )

    @property
    def mark(self) -> tuple[str | None, int]:
        """Pair that changes with each heartbeat, and with each run."""
        return self.run, self.beat


@dataclass(frozen=True, slots=True)
class ProjectorProcess:
    """Heartbeat of a projector's process, with the run that it has paused for."""

    id: str
    beat: int
    paused: str | None

    @classmethod
    def of(cls, stored: Document) -> Self:
        return cls(stored["_id"], stored["beat"], stored["paused"])
