"""Heartbeats of ingest's processes (shared/processes.py), followed on this process's own clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from shared.clock import Monotonic, as_utc
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import PROCESSES
from shared.mongo.whole_reads import read_all

STANDING_SECONDS = 15.0  # a process whose beat doesn't move for so long may be gone
BEATS_KEPT = 8
MOST_PROCESSES = 1_000
_INGEST = {"$or": [{"partitions": {"$exists": True}}, {"spool": {"$exists": True}}]}
_FIELDS = {"beat": 1, "partitions": 1, "spool": 1}


@dataclass(frozen=True, slots=True)
class ObservedSpool:
    """Events on a process's disk; `since` is when this oldest one was seen first."""

    records: int
    oldest_at: datetime | None
    since: float


@dataclass(slots=True)
class ObservedProcess:
    """A process's observed heartbeats, timed by our own monotonic clock only."""

    moved: float  # when its present beat was seen first
    behind: dict[int, float] = field(default_factory=dict)  # seconds, by partition
    spool: ObservedSpool | None = None
    has_moved: bool = False
    beats: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=BEATS_KEPT))

    def known_since(self) -> float | None:
        """Return a moment after which the present heartbeat was certainly made.

        A heartbeat that is two above an observed one began after that one was read.
        """
        newest = self.beats[-1][0]
        return max((seen for beat, seen in self.beats if beat <= newest - 2), default=None)

    def is_fresh(self, now: float) -> bool:
        """Return whether its present beat was seen first a moment ago."""
        return now - self.moved <= STANDING_SECONDS


class Heartbeats:
    """Follower of ingest's documents in `processes`."""

    def __init__(self, database: Database, monotonic: Monotonic) -> None:
        self._processes = database[PROCESSES.name]
        self._monotonic = monotonic
        self._begun: float | None = None
        self._looked: float | None = None  # when the last answered look began
        self.processes: dict[str, ObservedProcess] = {}

    async def look(self, every_seconds: float = 0.0) -> None:
        """Read the documents, unless that was done so short ago. Raises StoreUnavailable."""
        began = self._monotonic()
        if self._begun is not None and began - self._begun < every_seconds:
            return
        self._begun = began
        with translate_mongo_errors():
            found = await read_all(self._processes, _INGEST, _FIELDS, limit=MOST_PROCESSES)
        if self._looked is not None and began < self._looked:
            return  # a later look was answered earlier
        # Whoever didn't look can't say that a beat stood still: perhaps none could be written.
        if self._looked is not None and began - self._looked > STANDING_SECONDS:
            self.processes = {}
        self._looked = began
        self.processes = {document["_id"]: self._note(document, began) for document in found}

    def _note(self, document: Document, began: float) -> ObservedProcess:
        beat = int(document["beat"])
        known = self.processes.get(document["_id"])
        if known is None or beat < known.beats[-1][0]:
            known = ObservedProcess(began)
        elif beat > known.beats[-1][0]:
            known.moved, known.has_moved = began, True
        else:
            known.beats.pop()  # seen again: later than before
        known.beats.append((beat, began))
        known.behind = {int(n): ms / 1000 for n, ms in document.get("partitions", {}).items()}
        known.spool = _decode_spool(document.get("spool"), known.spool, began)
        return known


def _decode_spool(
    found: Document | None, before: ObservedSpool | None, began: float
) -> ObservedSpool | None:
    if found is None:
        return None
    records, oldest = int(found["records"]), found["oldestAt"]
    oldest = None if oldest is None else as_utc(oldest)
    is_same = before is not None and bool(before.records) and before.oldest_at == oldest
    return ObservedSpool(records, oldest, before.since if before and is_same else began)
