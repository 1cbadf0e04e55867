"""Idle readers and servers: their work is counted, and they react as soon as before."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import uvicorn
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.fetch import FetchResponse_v4, FetchResponse_v11

from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.reader import LogReader
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import DAY_MS, Topic
from shared.service import bind, serve
from shared.settings import HttpSettings, Settings
from tests.integration.shared.stages import ScriptedHandler, open_bench
from tests.support.stack import eventually

SECONDS = 4.0
FETCH = 1  # the protocol's number of it


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[tuple[LogReader, LogWriter, Topic]]:
    """Read a topic of its own that is empty, and has answered."""
    topic = Topic(f"test.idle.{uuid.uuid4().hex}", 6, DAY_MS, ("group",))
    await ensure_topics(settings.kafka, [topic])
    async with open_log_writer(settings.kafka, "test") as writer:
        reader = LogReader(settings.kafka, topic.name, [topic.name], _nothing)
        await reader.start()
        try:
            while not reader.is_reading:
                await reader.poll(100, 1)
            yield reader, writer, topic
        finally:
            await reader.stop()


async def _nothing() -> None:
    return None


async def test_d8_an_idle_reader_decodes_few_of_the_answers_that_bring_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = 0
    for response in (FetchResponse_v4, FetchResponse_v11):
        plain = response.decode

        def decode(data: Any, plain: Any = plain) -> Any:
            nonlocal decoded
            decoded += 1
            return plain(data)

        monkeypatch.setattr(response, "decode", decode)
    async with open_reader(settings) as (reader, _, _):
        decoded = 0
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            assert await reader.poll(200, 10) == []
        assert 0 < decoded <= 5 * SECONDS  # it was 20 a second


async def test_d8_an_idle_reader_hears_of_a_record_at_once(settings: Settings) -> None:
    """Empty fetches last up to 0.4 s; half of that as a delay would fail here."""
    async with open_reader(settings) as (reader, writer, topic):
        took = []
        for n in range(15):
            reading = asyncio.create_task(_read(reader))
            await asyncio.sleep(random.uniform(0.3, 0.7))  # anywhere in a fetch
            published = time.monotonic()
            await writer.publish([OutgoingRecord(topic.name, f"k{n}", b"x", "idle")])
            took.append(await reading - published)
        assert statistics.median(took) < 0.1, took  # seen: 0.011


async def _read(reader: LogReader) -> float:
    while not await reader.poll(1_000, 10):
        pass
    return time.monotonic()


async def test_d8_a_resting_stage_fetches_once_a_rest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetches = 0
    plain = AIOKafkaConnection.send

    def send(self: Any, request: Any, *args: Any, **more: Any) -> Any:
        nonlocal fetches
        answer = plain(self, request, *args, **more)
        fetches += request.API_KEY == FETCH
        return answer

    monkeypatch.setattr(AIOKafkaConnection, "send", send)
    async with open_bench(settings) as bench:
        calm = replace(bench, kafka=bench.kafka.model_copy(update={"rest_ms": 500}))
        work = ScriptedHandler()
        async with calm.stage(work, can_rest=True):
            await calm.publish("a")
            await eventually(partial(work.done.__contains__, "a"), 20)
            await asyncio.sleep(2.2)  # longer than it stays busy
            fetches = 0
            await asyncio.sleep(SECONDS)
            assert 0 < fetches <= 2 * SECONDS + 2  # it was 3.5 a second


async def test_d8_a_server_at_rest_ticks_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = 0
    plain = uvicorn.Server.on_tick

    async def on_tick(self: uvicorn.Server, counter: int) -> bool:
        nonlocal ticks
        ticks += (
            getattr(self.config.app, "app", None) is app
        )  # other tests' servers may run in this process
        return await plain(self, counter)

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    monkeypatch.setattr(uvicorn.Server, "on_tick", on_tick)
    http, stop = HttpSettings(), asyncio.Event()
    serving = asyncio.create_task(serve(app, bind(http, "test"), stop, http))
    await asyncio.sleep(3.5)
    stop.set()
    began = time.monotonic()
    await serving
    assert 1 <= ticks <= 6  # it was ten a second
    assert time.monotonic() - began < 1
