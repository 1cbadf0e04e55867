"""Kafka killed, frozen, away: what was accepted is in the log in the end, each visitor's in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from shared.settings import Settings, SpoolSettings
from tests.integration.ingest.load import Load, read_log
from tests.support import stack
from tests.support.ingest_process import client_of, seeded, until

API = ("--only", "api")
ENOUGH = 100  # events accepted in a phase


@asynccontextmanager
async def loaded(load: Load) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Run the load; yield a function that waits for some more accepted events."""
    stop = asyncio.Event()
    running = asyncio.create_task(load.run(stop))

    async def some_more() -> None:
        before = load.count
        await stack.eventually(lambda: running.done() or load.count >= before + ENOUGH, 30)

    try:
        yield some_more
    finally:
        stop.set()
        await running


def settings_for(broker: stack.Server, mongo_uri: str, folder: Path) -> Settings:
    settings = stack.settings_for(broker.address, mongo_uri, folder)
    kafka = settings.kafka.model_copy(update={"request_timeout_ms": 3_000})
    return settings.model_copy(update={"kafka": kafka})


def with_limit(settings: Settings, limit: int) -> Settings:
    return settings.model_copy(update={"spool": SpoolSettings(limit_bytes=limit)})


@pytest.mark.cluster
async def test_kafka_is_killed_under_load_again_and_again(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = settings_for(fresh_broker, mongo_uri, tmp_path)
    async with seeded(settings):
        with stack.service("ingest_service", settings, *API) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                load = Load(client)
                async with loaded(load) as some_more:
                    for _ in range(3):
                        await some_more()
                        fresh_broker.kill()
                        await some_more()
                        fresh_broker.start()
                        await until(client, 200, "ready", 60)
                    await some_more()
                assert load.answers.keys() == {202}
                load.check(await read_log(fresh_broker.address))


async def test_kafka_is_suspended_under_load(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = settings_for(fresh_broker, mongo_uri, tmp_path)
    async with seeded(settings):
        with stack.service("ingest_service", settings, *API) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                load = Load(client)
                async with loaded(load) as some_more:
                    for seconds in (1, 5):  # shorter and longer than the client's own timeout
                        await some_more()
                        fresh_broker.freeze()
                        thawed_at = time.monotonic() + seconds
                        await some_more()
                        await until(client, 200, "degraded")
                        while time.monotonic() < thawed_at:
                            await some_more()
                        await some_more()
                        fresh_broker.thaw()
                        await until(client, 200, "ready", 60)
                assert load.answers.keys() == {202}
                load.check(await read_log(fresh_broker.address))


async def test_ingest_is_killed_with_a_filled_spool(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = settings_for(fresh_broker, mongo_uri, tmp_path)
    server = stack.service("ingest_service", settings, *API)
    async with seeded(settings), client_of(server) as client:
        with server:
            await until(client, 200, "ready")
            load = Load(client)
            async with loaded(load) as some_more:
                fresh_broker.freeze()
                await some_more()
                await some_more()
                server.kill()
                fresh_broker.thaw()
                server.start()
                await some_more()
            await until(client, 200, "ready", 60)
            load.check(await read_log(fresh_broker.address))


async def test_spool_at_its_limit_refuses_honestly(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = with_limit(settings_for(fresh_broker, mongo_uri, tmp_path), 1024**2)
    settings = settings.model_copy(
        update={"log_level": "WARNING"}
    )  # a line an event takes its time
    async with seeded(settings):
        with stack.service("ingest_service", settings, *API) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                load = Load(client, events=20)
                stop = asyncio.Event()
                running = asyncio.create_task(load.run(stop))
                fresh_broker.freeze()
                await stack.eventually(lambda: running.done() or load.answers[503] > 100, 30)
                stop.set()
                await running
                assert load.slowest[503] < 1
                await until(client, 503, "unavailable")
                assert "carillon_spool_bytes" in (await client.get("/metrics")).text
                fresh_broker.thaw()
                await until(client, 200, "ready", 60)
                load.check(await read_log(fresh_broker.address))


async def test_accepts_before_there_is_a_broker(mongo_uri: str, tmp_path: Path) -> None:
    broker = stack.broker()
    settings = settings_for(broker, mongo_uri, tmp_path)
    async with seeded(settings):
        with ExitStack() as ending, stack.service("ingest_service", settings, *API) as server:
            ending.callback(broker.kill)
            async with client_of(server) as client:
                await until(client, 200, "degraded")
                load = Load(client)
                async with loaded(load) as some_more:
                    await some_more()
                    broker.start()
                    await until(client, 200, "ready", 60)
                    await some_more()
                load.check(await read_log(broker.address))
