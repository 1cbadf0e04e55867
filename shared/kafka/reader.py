"""Member of a consumer group, on the Kafka client."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.kafka.client import MAX_MESSAGE_BYTES
from shared.kafka.errors import translate_kafka_errors
from shared.kafka.fetch_repeats import RepeatedFetches, Rest
from shared.kafka.read_progress import ReadProgress
from shared.kafka.records import TYPE_HEADER, Offsets, Record
from shared.settings import KafkaSettings

log = logging.getLogger("carillon.kafka")

# The client tries for as long as the broker is away, and the loop that commits must go on: it has
# its health to renew, and a stop to notice.
COMMIT_SECONDS = 5.0
MAX_POLL_MS = 300_000  # without a poll for so long, the client leaves its group
KEEP_SECONDS = 60.0
END_OFFSETS_SECONDS = 2.0  # between two requests of where the log ends
END_SECONDS = 1.0
FETCHER_SECONDS = 1.0
LEAVE_SECONDS = 3.0  # seen: 20 ms


def to_record(message: Any) -> Record:
    kinds = [v for k, v in message.headers if k == TYPE_HEADER]
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.key or b"",
        message.value or b"",
        kinds[0].decode("utf-8", "replace") if kinds else "",
        message.timestamp,
    )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, on_revoke: Callable[[], Awaitable[None]]) -> None:
        self._on_revoke = on_revoke

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            await self._on_revoke()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        log.info("partitions assigned", extra={"partitions": sorted(map(str, assigned))})


class LogReader:
    """Member of a consumer group. It commits offsets only on request."""

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        topics: Iterable[str],
        on_revoke: Callable[[], Awaitable[None]],
        rest: Rest | None = None,
    ) -> None:
        self._topics = list(topics)
        self._on_revoke = on_revoke
        self._listener = _Listener(self._revoked)
        self._read: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._ends_at = 0.0
        self._polled = time.monotonic()
        self._assignments = 0
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 5,
            max_poll_interval_ms=MAX_POLL_MS,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            request_timeout_ms=settings.request_timeout_ms + settings.session_timeout_ms,
            retry_backoff_ms=100,
            metadata_max_age_ms=30_000,
        )
        self.progress = ReadProgress(self._consumer)
        client = self._consumer._client
        client.send = RepeatedFetches(client.send, settings.fetch_max_wait_ms / 1000, rest).send

    async def _revoked(self) -> None:
        self._assignments += 1
        await self._on_revoke()
        self.progress.forget()
        self._read.clear()  # another member's position is unknown when a partition comes back

    async def start(self) -> None:
        with translate_kafka_errors():
            self._consumer.subscribe(self._topics, listener=self._listener)
            await self._consumer.start()
        # Five times a second it would check for changes; each change wakes it anyway.
        self._consumer._fetcher._fetcher_timeout = FETCHER_SECONDS

    async def poll(
        self, timeout_ms: int, max_records: int, linger_seconds: float = 0.0
    ) -> list[Record]:
        """Return what has arrived, in order within each partition; empty after the timeout.

        Where something has, records of the next `linger_seconds` are added.
        """
        records = await self._fetch(timeout_ms, max_records)
        if records and linger_seconds and len(records) < max_records:
            before = self._assignments
            await asyncio.sleep(linger_seconds)
            more = await self._fetch(0, max_records - len(records))
            # After a rebalance meanwhile the new owner of the partitions reads these again.
            records = records + more if self._assignments == before else more
        return records

    async def _fetch(self, timeout_ms: int, max_records: int) -> list[Record]:
        self._polled = time.monotonic()
        self._consumer.resume(*self._consumer.paused())
        with translate_kafka_errors():
            fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        for place, messages in fetched.items():
            self._read[place] = messages[-1].offset + 1
            self.progress.note(place, messages[-1].timestamp)
        return [to_record(m) for messages in fetched.values() for m in messages]

    @property
    def is_reading(self) -> bool:
        """Return whether each of its partitions has answered a fetch; it may have none."""
        places = self._consumer.assignment()
        return all(self._consumer.highwater(place) is not None for place in places)

    async def keep_alive(self) -> None:
        """Stay a member without reading, however long."""
        # Only a poll of paused partitions does that, and it throws away what was fetched ahead.
        # With a backlog that is megabytes for each batch, so it comes as seldom as it may.
        if time.monotonic() - self._polled >= KEEP_SECONDS:
            self._polled = time.monotonic()
            self._consumer.pause(*self._consumer.assignment())
            with translate_kafka_errors():
                fetched = await self._consumer.getmany(timeout_ms=0, max_records=1)
            for place, messages in fetched.items():  # of a partition that came just now
                self._consumer.seek(place, messages[0].offset)

    async def commit(self, offsets: Offsets) -> bool:
        """Commit offsets; return False where they weren't committed.

        Either it is too late: the partitions belong to another member, which repeats them. Or the broker
        is away: the next commit holds these offsets too.
        """
        mine = self._consumer.assignment()
        known = {TopicPartition(*place): at for place, at in offsets.items()}
        committable = {place: at for place, at in known.items() if place in mine}
        try:
            if committable:
                async with asyncio.timeout(COMMIT_SECONDS):
                    await self._consumer.commit(committable)
        except (KafkaError, IllegalStateError, TimeoutError) as exc:
            log.warning("commit refused", extra={"reason": type(exc).__name__})
            return False
        return True

    def lag(self) -> dict[str, int]:
        """Return by topic how many records behind the end were not read yet."""
        behind: dict[str, int] = dict.fromkeys(self._topics, 0)
        for place in self._consumer.assignment():
            end = max(self._consumer.highwater(place) or 0, self._ends.get(place, 0))
            if place in self._read:
                behind[place.topic] += max(0, end - self._read[place])
        return behind

    async def refresh_end_offsets(self) -> None:
        """Ask where the log ends, at most every END_OFFSETS_SECONDS."""
        # Fetches bring the end offsets, but paused partitions aren't fetched. Tansu answers the base of
        # its last batch, so the lag is at least what this makes it.
        if time.monotonic() - self._ends_at < END_OFFSETS_SECONDS:
            return
        self._ends_at = time.monotonic()
        places = self._consumer.assignment()
        with suppress(KafkaError, IllegalStateError, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                self._ends = await self._consumer.end_offsets(places)
                for place in places - self._read.keys():
                    self._read[place] = await self._consumer.position(place)

    async def stop(self) -> None:
        """Leave the group."""
        # A request that hangs, as a join does while another member is silent, ends with its
        # connection.
        stopping = asyncio.ensure_future(self._consumer.stop())
        await asyncio.wait([stopping], timeout=LEAVE_SECONDS)
        # Without its broker the client may cancel itself here, on the way out and before it has
        # closed its connections (aiokafka 0.14): that is no cancellation of the caller.
        if not stopping.done() or stopping.cancelled() or stopping.exception():
            with suppress(KafkaError, OSError):
                await self._consumer._client.close()
        await asyncio.gather(stopping, return_exceptions=True)
