"""Records that will never do: named by their place in the log, published with the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared import metrics
from shared.clock import Clock
from shared.errors import Rejected
from shared.ids import dead_letter_id
from shared.kafka.client import LogWriter, OutgoingRecord, Record
from shared.kafka.topics import DEAD_LETTERS_TOPIC
from shared.models.dead_letter import DeadLetter
from shared.texts import shorten

log = logging.getLogger("carillon.stage")

MAX_KEPT_BYTES = 2 * 1024 * 1024  # of a value: in base64 it must fit a message; the rest is cut off
MAX_KEY_BYTES = 64 * 1024  # twice in the message
MAX_TEXT = 1_024  # of a type, and of a message, which may name a key that somebody made up


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that will never do, and why."""

    record: Record
    error: Rejected


class DeadLetterPublisher:
    """Publishes a stage's dead letters. Twice is once: the id names the record's place."""

    def __init__(self, stage: str, writer: LogWriter, log_id: str, clock: Clock) -> None:
        self._stage = stage
        self._writer = writer
        self._log_id = log_id
        self._clock = clock

    async def publish(self, poison: Sequence[Poison]) -> None:
        """Raises LogUnavailable."""
        letters = [(p, self._letter(p)) for p in poison]
        await self._writer.publish(
            OutgoingRecord(
                DEAD_LETTERS_TOPIC.name, p.record.key[:MAX_KEY_BYTES], letter.dump(), "deadLetter"
            )
            for p, letter in letters
        )
        for p, letter in letters:
            metrics.STAGE_POISON.labels(self._stage, p.error.code).inc()
            where = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
            log.warning(
                "record set aside",
                extra={"stage": self._stage, "letter": letter.id, "code": letter.code, **where},
            )

    def _letter(self, poison: Poison) -> DeadLetter:
        record = poison.record
        place = (record.topic, record.partition, record.offset)
        return DeadLetter(
            id=dead_letter_id(self._log_id, *place),
            stage=self._stage,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            type=record.type[:MAX_TEXT],
            key=DeadLetter.pack(record.key[:MAX_KEY_BYTES]),
            value=DeadLetter.pack(record.value[:MAX_KEPT_BYTES]),
            cut=_is_cut(record),
            code=poison.error.code,
            message=shorten(poison.error.message, MAX_TEXT),
            at=self._clock(),
        )


def _is_cut(record: Record) -> bool:
    return (
        len(record.value) > MAX_KEPT_BYTES
        or len(record.key) > MAX_KEY_BYTES
        or len(record.type) > MAX_TEXT
    )
