"""The circuit breaker in front of Kafka; it also keeps Kafka's topics in existence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from shared.errors import LogUnavailable
from shared.kafka.batches import BatchWriter
from shared.kafka.client import ensure_topics
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TOPICS
from shared.settings import KafkaSettings

log = logging.getLogger("carillon.ingest")

PAUSE_FILE = "hold-log"  # a file in the data folder: while it is there, nothing is published


class CircuitBreaker:
    """Refuses publishing at once while Kafka is away or publishing is paused.

    After an error it ensures the topics before it publishes again.
    """

    # A broker that comes back may have lost its topics: the embedded one keeps its log in memory.

    def __init__(self, settings: KafkaSettings, writer: BatchWriter, data_dir: Path) -> None:
        self._settings = settings
        self._writer = writer
        self._pause_file = data_dir / PAUSE_FILE
        self._suspect = True
        self._publishing = 0

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        """Publish within `seconds`. Raises LogUnavailable, at once where Kafka is known to be away."""
        if self._suspect or self._pause_file.exists():
            raise LogUnavailable("Kafka is away")
        self._publishing += 1
        try:
            await self._writer.publish(records, seconds)
        except LogUnavailable:
            self._suspect = True
            raise
        finally:
            self._publishing -= 1

    async def check(self) -> None:
        """Check that a broker responds, has the topics, and isn't paused. Raises LogUnavailable."""
        if self._pause_file.exists():
            self._suspect = True
            code = "publishing_paused" if self._publishing == 0 else "log_busy"
            raise LogUnavailable("publishing is paused", code=code)
        try:
            await self._writer.ping()
            if self._suspect:
                log_id = await ensure_topics(self._settings, TOPICS)
                log.info("log ready", extra={"log": log_id})
        except BaseException:  # also where the caller's timeout ends it
            self._suspect = True
            raise
        self._suspect = False
