"""Places of a reader, on a client that a test stands in for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka import TopicPartition

from shared.kafka.read_progress import ReadProgress

KNOWN, ASKED_FOR, UNANSWERED = (TopicPartition("events", n) for n in range(3))


@dataclass
class Client:
    """Client that has to ask a silent broker for one of its positions."""

    ends: dict[TopicPartition, int] = field(default_factory=lambda: {KNOWN: 7, ASKED_FOR: 7})

    def assignment(self) -> set[TopicPartition]:
        return {KNOWN, ASKED_FOR, UNANSWERED}

    def highwater(self, place: TopicPartition) -> int | None:
        return self.ends.get(place)

    def last_poll_timestamp(self, place: TopicPartition) -> int:
        return int(time.time() * 1000)

    async def position(self, place: TopicPartition) -> int:
        if place == ASKED_FOR:
            await asyncio.Event().wait()
        return 7


async def test_a_place_that_the_client_has_to_ask_for_holds_no_heartbeat_up() -> None:
    progress = ReadProgress(cast(Any, Client()))
    async with asyncio.timeout(5):
        places = await progress.read_up_to("events")
    assert {number: place.is_at_end for number, place in places.items()} == {0: True}
