"""Documents of a replay and of the projectors that it pauses, as read and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypedDict


class ReplayFields(TypedDict, total=False):
    """Fields of the document that names the run with the lease; absent before the first replay."""

    run: str | None
    phase: str | None
    beat: int
    generation: int


class ProcessFields(TypedDict):
    """Document of a projector's process."""

    _id: str
    beat: int
    paused: str | None


@dataclass(frozen=True, slots=True)
class ReplayState:
    """State of the lease: its run and phase, None while it is free; and its heartbeat."""

    run: str | None
    phase: str | None
    beat: int
    generation: int

    @classmethod
    def of(cls, stored: ReplayFields) -> Self:
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
    def of(cls, stored: ProcessFields) -> Self:
        return cls(stored["_id"], stored["beat"], stored["paused"])
