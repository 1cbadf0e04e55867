"""Dead letters: records that a stage can't handle, published with the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared import metrics
from shared.clock import Clock
from shared.errors import Rejected
from shared.ids import dead_letter_id
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import DEAD_LETTERS_TOPIC
from shared.models.dead_letter import DeadLetter
from shared.texts import shorten

log = logging.getLogger("carillon.stage")

MAX_KEPT_BYTES = 2 * 1024 * 1024  # of a value: in base64 it must fit a message; the rest is cut off
MAX_KEY_BYTES = 64 * 1024  # twice in the message
MAX_DEAD_LETTER_TEXT = 1_024  # of a type, and of a message, which may name an invented key


@dataclass(frozen=True, slots=True)
class Poison:
    """Record that can't be handled, and why."""

    record: Record
    error: Rejected


class DeadLetterPublisher:
    """Publisher of a stage's dead letters. The id names the record's place, so a repetition is harmless."""

    def __init__(self, stage: str, writer: LogWriter, log_id: str, clock: Clock) -> None:
        self._stage = stage
        self._writer = writer
        self._log_id = log_id
        self._clock = clock

    async def publish(self, poison: Sequence[Poison]) -> None:
        """Publish a dead letter for each record. Raises LogUnavailable."""
        dead_letters = [(p, self._dead_letter(p)) for p in poison]
        await self._writer.publish(
            OutgoingRecord(
                DEAD_LETTERS_TOPIC.name,
                p.record.key[:MAX_KEY_BYTES],
                dead_letter.dump(),
                "deadLetter",
            )
            for p, dead_letter in dead_letters
        )
        for p, dead_letter in dead_letters:
            metrics.STAGE_POISON.labels(self._stage, p.error.code).inc()
            place = {"topic": p.record.topic, "partition": p.record.partition}
            log.warning(
                "record dead-lettered",
                extra={
                    "stage": self._stage,
                    "letter": dead_letter.id,
                    "code": dead_letter.code,
                    "offset": p.record.offset,
                    **place,
                },
            )

    def _dead_letter(self, poison: Poison) -> DeadLetter:
        record = poison.record
        place = (record.topic, record.partition, record.offset)
        return DeadLetter(
            id=dead_letter_id(self._log_id, *place),
            stage=self._stage,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            type=record.type[:MAX_DEAD_LETTER_TEXT],
            key=DeadLetter.pack(record.key[:MAX_KEY_BYTES]),
            value=DeadLetter.pack(record.value[:MAX_KEPT_BYTES]),
            truncated=_is_truncated(record),
            code=poison.error.code,
            message=shorten(poison.error.message, MAX_DEAD_LETTER_TEXT),
            at=self._clock(),
        )


def _is_truncated(record: Record) -> bool:
    return (
        len(record.value) > MAX_KEPT_BYTES
        or len(record.key) > MAX_KEY_BYTES
        or len(record.type) > MAX_DEAD_LETTER_TEXT
    )
