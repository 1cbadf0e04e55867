"""Visitors who tell things one after another, and what the log has of them in the end."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer

from shared.errors import InvalidPayload
from shared.kafka.topics import EVENTS_TOPIC as TOPIC
from shared.models.event import Event
from tests.support.ingest_process import EVENTS

EMPTY_POLLS = 3
BEAT_SECONDS = 0.02


@dataclass
class Load:
    """Visitors, each of which sends its next event when the last one was answered."""

    client: httpx.AsyncClient
    visitors: int = 20
    events: int = 2  # a request
    accepted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[int] = field(default_factory=Counter)
    slowest: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    unheard: set[str] = field(default_factory=set)  # sent, and the answer never came
    _own_delay: float = 0.0  # seconds that this loop itself was late, in all

    @property
    def count(self) -> int:
        return sum(map(len, self.accepted.values()))

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_itself(stop))
            for number in range(self.visitors):
                group.create_task(self._visit(f"visitor{number}", stop))

    async def _watch_itself(self, stop: asyncio.Event) -> None:
        """Measure how late the load itself is, which is no part of an answer's time."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            began = loop.time()
            await asyncio.sleep(BEAT_SECONDS)
            self._own_delay += max(0.0, loop.time() - began - BEAT_SECONDS)

    async def _visit(self, visitor: str, stop: asyncio.Event) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            await self._publish(visitor, number)

    async def _publish(self, visitor: str, number: int) -> None:
        ids = [str(uuid.uuid4()) for _ in range(self.events)]
        body = [
            {"id": id_, "type": "pageview", "visitorId": visitor, "data": {"itemID": number}}
            for id_ in ids
        ]
        loop = asyncio.get_running_loop()
        began, delay = loop.time(), self._own_delay
        try:
            answer = await self.client.post(EVENTS, json=body)
        except httpx.TransportError:
            self.unheard |= set(ids)
            await asyncio.sleep(0.05)
            return
        code = answer.status_code
        self.answers[code] += 1
        took = loop.time() - began - (self._own_delay - delay)
        self.slowest[code] = max(self.slowest[code], took)
        if code == 202:
            assert answer.json()["accepted"] == len(ids)
            self.accepted[visitor] += ids
        else:
            assert code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
            await asyncio.sleep(0.05)

    def check(self, found: dict[str, list[str]]) -> None:
        """Check that no event is lost, and that each visitor's come in order."""
        for visitor, ids in self.accepted.items():
            firsts = dict.fromkeys(found.get(visitor, []))
            expected = set(ids)
            assert [id_ for id_ in firsts if id_ in expected] == ids, visitor


async def read_log(address: str) -> dict[str, list[str]]:
    """Return the ids of all events, by visitor, in the log's order."""
    consumer = AIOKafkaConsumer(
        TOPIC.name, bootstrap_servers=address, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    found: dict[str, list[str]] = defaultdict(list)
    silent = 0
    try:
        while silent < EMPTY_POLLS:
            fetched: dict[Any, Any] = await consumer.getmany(timeout_ms=500)
            silent = 0 if fetched else silent + 1
            for messages in fetched.values():
                for message in messages:
                    with suppress(InvalidPayload):  # another test's poison, on the same broker
                        event = Event.parse(message.value)
                        found[event.key].append(event.id)
    finally:
        await consumer.stop()
    return found
