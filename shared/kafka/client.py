"""Kafka client behind ours: topics and a writer (the reader: `shared.kafka.reader`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from shared.errors import LogUnavailable
from shared.kafka.errors import FATAL_PRODUCER_ERRORS, translate_kafka_errors
from shared.kafka.failure_watch import FailureWatch
from shared.kafka.partitions import partition_of as partition_of
from shared.kafka.reader_calls import ReaderWakeups
from shared.kafka.records import TYPE_HEADER, OutgoingRecord
from shared.kafka.topics import Topic
from shared.settings import KafkaSettings

MAX_MESSAGE_BYTES = 4 * 1024 * 1024  # a trigger may be 1 MiB, in JSON within JSON in a dead letter
BATCH_BYTES = 512 * 1024  # brokers take 1 MiB by default; the client's own default is 16 KiB
RECONNECT_SECONDS = 0.5
CLOSE_SECONDS = 1.0  # each publisher has had an answer by then
TOPIC_EXISTS = 36  # Kafka's error code


def _partitioner(key: bytes | None, every: list[int], _available: list[int]) -> int:
    return every[partition_of(key or b"", len(every))]


class LogWriter:
    """Writer that publishes with acks=all. It connects by itself, also long after it was opened."""

    def __init__(self, settings: KafkaSettings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._producer: AIOKafkaProducer | None = None
        self._connected = asyncio.Event()
        self.closing = False
        self._replacing: asyncio.Task[None] | None = None
        self.readers = ReaderWakeups()
        # Apart: a client that sends nothing may go on answering, and a sender pings before.
        self.sending, self._asking = FailureWatch(self._give_up), FailureWatch(self._give_up)

    async def connect(self) -> None:
        """Try to connect until a broker answers or the writer closes."""
        while not self.closing:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.bootstrap_servers,
                client_id=self._name,
                acks="all",
                enable_idempotence=self._settings.idempotent_producer,
                request_timeout_ms=self._settings.request_timeout_ms,
                max_request_size=MAX_MESSAGE_BYTES,
                max_batch_size=BATCH_BYTES,
                partitioner=_partitioner,
                retry_backoff_ms=100,
                metadata_max_age_ms=30_000,
            )
            try:
                await producer.start()
            except (KafkaError, OSError):
                await producer.stop()
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            except asyncio.CancelledError:  # closed while it was connecting
                await producer.stop()
                raise
            self._producer = producer
            self._connected.set()
            return

    async def publish(self, records: Iterable[OutgoingRecord]) -> None:
        """Publish records; return when all in-sync replicas have acknowledged every one.

        Raises LogUnavailable where one was not acknowledged in time. It may be stored, so a repeated
        publication uses the same ids.
        """
        with self.sending(), translate_kafka_errors():
            async with asyncio.timeout(self._settings.request_timeout_ms / 1000 + 1):
                producer = await self.producer()
                try:
                    stored = await asyncio.gather(*[await _send(producer, r) for r in records])
                    self.readers.notify(one.topic for one in stored)
                except FATAL_PRODUCER_ERRORS:
                    self.replace(producer)
                    raise

    async def ping(self) -> None:
        """Raise LogUnavailable unless a broker answers."""
        with self._asking(), translate_kafka_errors():
            async with asyncio.timeout(self._settings.request_timeout_ms / 1000):
                if self._producer is None:
                    raise LogUnavailable("Kafka: not connected yet")
                if not await self._producer.client.force_metadata_update():
                    raise LogUnavailable("Kafka: no broker answers")

    async def producer(self) -> AIOKafkaProducer:
        """Return the client itself, once it is connected."""
        await self._connected.wait()
        assert self._producer is not None
        return self._producer

    def _give_up(self) -> None:
        if self._producer is not None:
            self.replace(self._producer)

    def replace(self, producer: AIOKafkaProducer) -> None:
        """Replace the producer in the background; publishers wait, as at the start."""
        if producer is self._producer:
            self._producer = None
            self._connected.clear()
            self._replacing = asyncio.create_task(self._reconnect(producer))

    async def _reconnect(self, former: AIOKafkaProducer) -> None:
        try:
            await self.connect()
        finally:
            await _stop(former, self._settings.request_timeout_ms / 1000)

    async def close(self) -> None:
        if self._replacing is not None:
            if not self._connected.is_set():
                self._replacing.cancel()
            await asyncio.gather(self._replacing, return_exceptions=True)
        if self._producer is not None:
            await _stop(self._producer, CLOSE_SECONDS)


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    """Stop a producer; give up what isn't acknowledged within `seconds`."""
    # An idempotent producer would try for ever.
    with suppress(KafkaError, OSError):
        try:
            async with asyncio.timeout(seconds):
                await producer.flush()
        except TimeoutError:
            producer._closed = True  # its own stop has no way around the flush
            await producer._sender.close()
            await producer.client.close()
        else:
            await producer.stop()


async def _send(producer: AIOKafkaProducer, record: OutgoingRecord) -> asyncio.Future[Any]:
    key = record.key.encode() if isinstance(record.key, str) else record.key
    headers = [(TYPE_HEADER, record.type.encode())]
    sent: asyncio.Future[Any]
    sent = await producer.send(record.topic, record.value, key=key, headers=headers)
    return sent


@asynccontextmanager
async def open_log_writer(settings: KafkaSettings, name: str) -> AsyncIterator[LogWriter]:
    """Open a writer that connects in the background, so that a service starts without its broker."""
    writer = LogWriter(settings, name)
    connecting = asyncio.create_task(writer.connect())
    try:
        yield writer
    finally:
        writer.closing = True  # a client that is cancelled while it connects leaves its socket open
        await asyncio.wait({connecting}, timeout=CLOSE_SECONDS)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await writer.close()


async def ensure_topics(settings: KafkaSettings, topics: Iterable[Topic]) -> str:
    """Create absent topics; return the log's identity (its cluster id). Raises LogUnavailable."""
    with translate_kafka_errors():
        admin = AIOKafkaAdminClient(
            bootstrap_servers=settings.bootstrap_servers, request_timeout_ms=5_000
        )
        try:
            await admin.start()
            answer = await admin.create_topics(
                [
                    NewTopic(
                        topic.name,
                        topic.partitions,
                        settings.replication_factor,
                        topic_configs={
                            "retention.ms": str(topic.retention_ms),
                            "max.message.bytes": str(MAX_MESSAGE_BYTES),
                        },
                    )
                    for topic in topics
                ]
            )
            for name, code, *_ in answer.topic_errors:
                if code not in (0, TOPIC_EXISTS):
                    raise LogUnavailable(f"Kafka: topic {name} not created, error code {code}")
            cluster: dict[str, Any] = await admin.describe_cluster()
            return str(cluster.get("cluster_id"))
        finally:
            with suppress(KafkaError, OSError):
                await admin.close()
