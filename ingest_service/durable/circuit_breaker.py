"""Kafka, watched: refuses at once while it is away or held, keeps its topics there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from shared.errors import LogUnavailable
from shared.kafka.batches import BatchWriter
from shared.kafka.client import OutgoingRecord, ensure_topics
from shared.kafka.topics import TOPICS
from shared.settings import KafkaSettings

log = logging.getLogger("carillon.ingest")

HOLD = "hold-log"  # a file in the data folder: while it is there, nothing is published


class CircuitBreaker:
    """A broker that comes back may have lost its topics (the embedded one keeps its log in memory), so
    after anything went wrong they are ensured again before the log is written again.
    """

    def __init__(self, settings: KafkaSettings, writer: BatchWriter, data_dir: Path) -> None:
        self._settings = settings
        self._writer = writer
        self._hold = data_dir / HOLD
        self._suspect = True
        self._publishing = 0

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        """Raises LogUnavailable: at once where Kafka is known to be away, else within `seconds`."""
        if self._suspect or self._hold.exists():
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
        """Raises LogUnavailable unless a broker answers, has the topics, and may be written to."""
        if self._hold.exists():
            self._suspect = True
            code = "log_held" if self._publishing == 0 else "log_busy"
            raise LogUnavailable("the log is held", code=code)
        try:
            await self._writer.ping()
            if self._suspect:
                log_id = await ensure_topics(self._settings, TOPICS)
                log.info("log ready", extra={"log": log_id})
        except BaseException:  # also where the caller's patience is at its end
            self._suspect = True
            raise
        self._suspect = False
