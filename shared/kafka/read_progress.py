"""Progress of a reader in its partitions, as its client's last answered fetches show it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.clock import monotonic


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """Place of a reader in a partition; ages in seconds.

    `is_at_end`: the last answered fetch, made `fetch_age` ago, brought nothing that isn't read.
    `end_age`: of the last fetch known to have met the end. `last_ms`: when the last record that was read
    was published, in Unix milliseconds.
    """

    is_at_end: bool
    fetch_age: float
    end_age: float | None
    last_ms: int | None


class _Fetch(NamedTuple):
    """Answered fetch: the client's stamp, in Unix milliseconds, and when it was seen first."""

    stamp: int
    seen: float


class ReadProgress:
    """Follows one client. Whoever asks pays: a read costs an entry in a dict."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._times: dict[Any, int] = {}
        self._fetches: dict[Any, _Fetch] = {}
        self._ends: dict[Any, float] = {}  # by the monotonic clock

    def note(self, place: TopicPartition, published_ms: int) -> None:
        """Note the last record that was read of a partition."""
        self._times[place] = published_ms

    def forget(self) -> None:
        """Forget all places: another member may read there meanwhile."""
        self._times.clear()
        self._fetches.clear()
        self._ends.clear()

    async def read_up_to(self, topic: str) -> dict[int, ReadUpTo]:
        """Return the places by partition; never wait.

        Absent are those that answered no fetch yet, and those whose position the client has to ask for.
        """
        found = {}
        for place in self._consumer.assignment():
            end = self._consumer.highwater(place)
            if place.topic == topic and end is not None:
                age = self._fetch_age(place)
                with suppress(KafkaError, IllegalStateError, TimeoutError):
                    is_at_end = await self._known_position(place) >= end
                    found[place.partition] = self._place(place, age, is_at_end=is_at_end)
        return found

    async def _known_position(self, place: TopicPartition) -> int:
        """Return the next offset. Raises TimeoutError where it is unknown."""
        # The client waits for a broker that may be away, as after the log was cut behind a reader.
        async with asyncio.timeout(0):  # a known one is returned without a pause
            return int(await self._consumer.position(place))

    def _fetch_age(self, place: TopicPartition) -> float:
        """Return the age of the last answered fetch, the greater one by two clocks."""
        # The wall clock may be set back. By the monotonic one a fetch from before a process was
        # suspended looks new once.
        stamp = self._consumer.last_poll_timestamp(place)
        fetch = self._fetches.get(place)
        if fetch is None or fetch.stamp != stamp:
            fetch = self._fetches[place] = _Fetch(stamp, monotonic())
        return max(monotonic() - fetch.seen, time.time() - fetch.stamp / 1000)

    def _place(self, place: TopicPartition, fetch_age: float, *, is_at_end: bool) -> ReadUpTo:
        now = monotonic()
        if is_at_end:
            self._ends[place] = now - fetch_age
        met = self._ends.get(place)
        end_age = None if met is None else now - met
        return ReadUpTo(is_at_end, fetch_age, end_age, self._times.get(place))
