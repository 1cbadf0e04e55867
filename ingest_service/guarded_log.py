"""The log's writer, watched: refuses at once while Kafka is away, keeps its topics there."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from shared.errors import LogUnavailable
from shared.health import Component
from shared.kafka import LogWriter, Outgoing, ensure_topics
from shared.settings import KafkaSettings
from shared.topics import TOPICS

log = logging.getLogger("carillon.ingest")


class GuardedLog:
    """`publish` for the collector, `check` for the health probe.

    A broker that comes back may have lost its topics (the embedded one keeps its log in memory), so
    after anything went wrong they are ensured again before the log counts as available.
    """

    def __init__(self, settings: KafkaSettings, writer: LogWriter, component: Component) -> None:
        self._settings = settings
        self._writer = writer
        self._component = component
        self._suspect = True

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Raises LogUnavailable, without a wait where it is known already."""
        if self._component.error is not None:
            raise LogUnavailable("Kafka is away")
        try:
            await self._writer.publish(records)
        except LogUnavailable:
            self._suspect = True
            raise

    async def check(self) -> None:
        """Raises LogUnavailable unless a broker answers and has the topics."""
        was_suspect, self._suspect = self._suspect, True
        await self._writer.ping()
        if was_suspect:
            log_id = await ensure_topics(self._settings, TOPICS)
            log.info("log ready", extra={"log": log_id})
        self._suspect = False
