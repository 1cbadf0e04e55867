"""Backup of the embedded log, which is in memory: unconsumed records are carried over a stop in a file.

"Consumed" is what lies before the least offset that any group of the topic has committed. A crash
between publishing again and deleting the file publishes twice, which the stages are made for.
A line that can't be read, or is of another topic, costs itself: it is kept in a file of its own.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.errors import LogUnavailable
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.errors import translate_kafka_errors
from shared.kafka.records import TYPE_HEADER, OutgoingRecord
from shared.kafka.scan import open_scanner
from shared.kafka.topics import TOPICS, Topic
from shared.settings import KafkaSettings

FILE = "carry-over.jsonl"
DAMAGED_FILE = "carry-over.damaged.jsonl"
NAMES = frozenset(topic.name for topic in TOPICS)
POLL_MS = 1_000
SILENT_POLLS = 10  # this many without a record before the end: the broker is not well
BATCH = 500  # records published and acknowledged together


class LogBackup:
    """Backup of a log: `save` while the broker still lives, `restore` when the next one is ready.

    `damaged` counts the lines that the last `restore` has moved to `damaged_file`.
    """

    def __init__(self, kafka: KafkaSettings, data: Path) -> None:
        self._kafka = kafka
        self._file = data / FILE
        self.damaged_file = data / DAMAGED_FILE
        self.damaged = 0

    async def save(self) -> int:
        """Write the unconsumed records; return how many. Raises LogUnavailable."""
        partial = self._file.with_suffix(".jsonl.tmp")
        with _disk_as_log():
            try:
                written = await self._write(partial)
                if written:
                    partial.rename(self._file)
                    _sync_folder(self._file.parent)
            finally:
                partial.unlink(missing_ok=True)
        return written

    async def _write(self, partial: Path) -> int:
        written = 0
        with partial.open("wb") as out:
            async with open_scanner(self._kafka, None) as reader:
                async for message in _unconsumed(self._kafka, reader):
                    out.write(_to_line(message))
                    written += 1
            out.flush()
            os.fsync(out.fileno())
        return written

    async def restore(self) -> int:
        """Publish the records of the last stop; return how many. Raises LogUnavailable."""
        self.damaged = 0
        if not self._file.exists():
            return 0
        await ensure_topics(self._kafka, TOPICS)
        restored = 0
        with _disk_as_log():
            async with open_log_writer(self._kafka, "carillon.carry-over") as writer:
                with self._file.open("rb") as lines:
                    records = self._readable(lines)
                    while batch := list(islice(records, BATCH)):
                        await writer.publish(batch)
                        restored += len(batch)
            if self.damaged:
                self._keep_damaged()
            self._file.unlink()
        return restored

    def _readable(self, lines: Iterable[bytes]) -> Iterator[OutgoingRecord]:
        for line in lines:
            record = _from_line(line)
            if record is None:
                self.damaged += 1
            else:
                yield record

    def _keep_damaged(self) -> None:
        """Keep the bad lines, once all others are published: a `restore` may be tried many times."""
        with self._file.open("rb") as lines, self.damaged_file.open("ab") as out:
            for line in lines:
                if _from_line(line) is None:
                    out.write(line.rstrip(b"\n") + b"\n")


async def _unconsumed(
    kafka: KafkaSettings, reader: AIOKafkaConsumer
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    starts = await _least_committed(kafka)
    reader.assign(list(starts))
    for place, offset in starts.items():
        reader.seek(place, offset)
    silent = 0
    while not await _is_at_end(reader, starts):
        with translate_kafka_errors():
            fetched = await reader.getmany(timeout_ms=POLL_MS)
        silent = 0 if fetched else silent + 1
        if silent == SILENT_POLLS:
            raise LogUnavailable("Kafka: the broker brings no more records before the end")
        for messages in fetched.values():
            for message in messages:
                yield message


async def _is_at_end(reader: AIOKafkaConsumer, places: Iterable[TopicPartition]) -> bool:
    """Return whether fetches met the end of every partition."""
    # Tansu's ListOffsets names the base of the last batch, so it isn't used.
    for place in places:
        end = reader.highwater(place)
        if end is None or await reader.position(place) < end:
            return False
    return True


async def _least_committed(kafka: KafkaSettings) -> dict[TopicPartition, int]:
    topics = [topic for topic in TOPICS if topic.groups]
    groups = {group for topic in topics for group in topic.groups}
    answers = await asyncio.gather(*(_committed(kafka, group, topics) for group in groups))
    least: dict[TopicPartition, int] = {}
    for answer in answers:
        for place, offset in answer.items():
            least[place] = min(offset, least.get(place, offset))
    return least


async def _committed(
    kafka: KafkaSettings, group: str, topics: Iterable[Topic]
) -> dict[TopicPartition, int]:
    """Return the group's offsets."""
    # Read by a consumer: aiokafka's admin client can't decode Tansu's answer about groups.
    places = [
        TopicPartition(topic.name, partition)
        for topic in topics
        if group in topic.groups
        for partition in range(topic.partitions)
    ]
    async with open_scanner(kafka, group) as reader:
        reader.assign(places)
        with translate_kafka_errors():
            return {place: await reader.committed(place) or 0 for place in places}


def _to_line(message: ConsumerRecord[bytes, bytes]) -> bytes:
    line: dict[str, Any] = {
        "topic": message.topic,
        "key": b64encode(message.key or b"").decode(),
        "value": b64encode(message.value or b"").decode(),
        "headers": [[name, b64encode(value).decode()] for name, value in message.headers],
    }
    return orjson.dumps(line) + b"\n"


def _from_line(line: bytes) -> OutgoingRecord | None:
    """Return the record, or None where the line is damaged or of a topic that isn't ours."""
    # Of the headers only the type is kept: none of ours carries another, and no stage reads another.
    try:
        fields = orjson.loads(line)
        if fields["topic"] not in NAMES:
            return None
        types: Iterator[str] = (
            b64decode(value, validate=True).decode("utf-8", "replace")
            for name, value in fields["headers"]
            if name == TYPE_HEADER
        )
        key, value = (b64decode(fields[name], validate=True) for name in ("key", "value"))
        return OutgoingRecord(fields["topic"], key, value, next(types, ""))
    except (ValueError, LookupError, TypeError):
        return None


@contextmanager
def _disk_as_log() -> Iterator[None]:
    """Raise LogUnavailable for a full disk: the log can't be saved or restored for now."""
    try:
        yield
    except OSError as exc:
        raise LogUnavailable(f"{exc.filename or FILE}: {exc.strerror}") from exc


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
