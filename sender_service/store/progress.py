"""The projector's progress, from the heartbeats of its processes (shared/processes.py)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from shared.clock import Monotonic
from shared.kafka.topics import EVENTS_TOPIC
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import PROCESSES
from shared.mongo.whole_reads import read_all

PROGRESS_READ_SECONDS = 0.2  # between two looks
FRESH_HEARTBEAT_SECONDS = 15.0  # a process whose beat doesn't move for so long may be gone
MARGIN_SECONDS = 0.5  # what "met the end" is of may be as old as a fetch takes
BEATS_KEPT = 8
MOST_PROCESSES = 1_000


@dataclass
class _Process:
    """A process's observed heartbeats, timed by our own monotonic clock only."""

    moved: float  # when its present beat was seen first
    behind: dict[int, float]  # seconds, by partition
    beats: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=BEATS_KEPT))

    def known_since(self) -> float | None:
        """Return a moment after which the present heartbeat was certainly made.

        A heartbeat that is two above an observed one began after that one was read.
        """
        newest = self.beats[-1][0]
        return max((seen for beat, seen in self.beats if beat <= newest - 2), default=None)


class ProjectorProgress:
    """Follows the projector. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database, monotonic: Monotonic) -> None:
        self._processes = database[PROCESSES.name]
        self._monotonic = monotonic
        self._seen: dict[str, _Process] = {}
        self._looked: float | None = None

    async def has_passed(self, moment: float) -> bool:
        """Return whether profiles certainly include all events in Kafka at this monotonic time."""
        await self._look()
        now = self._monotonic()
        passed: set[int] = set()
        for process in self._seen.values():
            since = process.known_since()
            if since is not None and now - process.moved <= FRESH_HEARTBEAT_SECONDS:
                passed |= {
                    partition
                    for partition, behind in process.behind.items()
                    if since - behind - MARGIN_SECONDS >= moment
                }
        return passed >= set(range(EVENTS_TOPIC.partitions))

    async def _look(self) -> None:
        began = self._monotonic()
        if self._looked is not None and began - self._looked < PROGRESS_READ_SECONDS:
            return
        self._looked = began
        query: dict[str, Any] = {"partitions": {"$exists": True}}
        fields = {"beat": 1, "partitions": 1}
        with translate_mongo_errors():
            found = await read_all(self._processes, query, fields, limit=MOST_PROCESSES)
        self._seen = {document["_id"]: self._note(document, began) for document in found}

    def _note(self, document: Document, began: float) -> _Process:
        beat = int(document["beat"])
        behind = {int(n): ms / 1000 for n, ms in document["partitions"].items()}
        known = self._seen.get(document["_id"])
        if known is None or beat < known.beats[-1][0]:
            known = _Process(began, behind)
        elif beat > known.beats[-1][0]:
            known.moved, known.behind = began, behind
        else:
            known.beats.pop()  # seen again: later than before
        known.beats.append((beat, began))
        return known
