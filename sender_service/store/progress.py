"""The projector's progress, from the heartbeats of its processes."""

from __future__ import annotations

from sender_service.store.heartbeats import Heartbeats
from shared.clock import Monotonic
from shared.kafka.topics import EVENTS_TOPIC
from shared.mongo.client import Database

PROGRESS_READ_SECONDS = 0.2  # between two looks
MARGIN_SECONDS = 0.5  # what "met the end" is of may be as old as a fetch takes


class ProjectorProgress:
    """Follows the projector. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database, monotonic: Monotonic) -> None:
        self._heartbeats = Heartbeats(database, monotonic)
        self._monotonic = monotonic

    async def has_passed(self, moment: float) -> bool:
        """Return whether profiles certainly include all events in Kafka at this monotonic time."""
        await self._heartbeats.look(PROGRESS_READ_SECONDS)
        now = self._monotonic()
        passed: set[int] = set()
        for process in self._heartbeats.processes.values():
            since = process.known_since()
            if since is not None and process.is_fresh(now):
                passed |= {
                    partition
                    for partition, behind in process.behind.items()
                    if since - behind - MARGIN_SECONDS >= moment
                }
        return passed >= set(range(EVENTS_TOPIC.partitions))
