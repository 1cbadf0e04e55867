"""Tests that a process has a document with its beat and progress, and is ready when its stages read."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from shared.kafka.topics import EVENTS_TOPIC as TOPIC
from shared.mongo.client import Database
from shared.mongo.collections import PROCESSES
from shared.settings import Settings
from tests.support import stack
from tests.support.ingest_process import (
    EVENTS,
    client_of,
    one_signal,
    seeded,
    until_known,
)
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
CAUGHT_UP = {str(n): 0 for n in range(TOPIC.partitions)}


async def documents(database: Database) -> list[dict[str, Any]]:
    return [d async for d in database[PROCESSES.name].find({})]


async def first_ready(client: httpx.AsyncClient) -> tuple[set[str], dict[str, Any]]:
    """Return what the stages were before it was ready, and the first ready answer."""
    before: set[str] = set()
    while True:
        try:
            answer = await client.get("/health/ready")
        except httpx.HTTPError:
            continue
        parts = {part["name"]: part for part in answer.json()["dependencies"]}
        if answer.status_code == 200:
            return before, parts
        if "stages" in parts:
            before.add(parts["stages"]["status"])
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ["ingest_service", "sender_service"])
async def test_d2_ready_means_that_each_stage_reads(settings: Settings, name: str) -> None:
    async with seeded(settings):
        with stack.service(name, settings) as server:
            async with client_of(server) as client:
                before, parts = await first_ready(client)
                assert before == {"down"}
                stages = {part: parts[part]["status"] for part in parts if part.startswith("stage")}
                assert len(stages) >= 2 and set(stages.values()) == {"up"}


async def test_d2_an_api_without_kafka_is_ready_all_the_same(settings: Settings) -> None:
    # Its events can be stored, on disk: that is what ready means there.
    away = settings.kafka.model_copy(
        update={"bootstrap_servers": f"127.0.0.1:{stack.free_port()}", "request_timeout_ms": 1_000}
    )
    async with seeded(settings):
        with stack.service("ingest_service", settings.model_copy(update={"kafka": away})) as server:
            async with client_of(server) as client:
                async with asyncio.timeout(25):
                    _, parts = await first_ready(client)
                assert parts["kafka"]["status"] == "down"


async def test_processes_state_how_far_they_are(alone: Settings) -> None:
    async with seeded(alone) as database:

        async def caught_up() -> dict[str, Any] | None:
            (one,) = await documents(database) or [{}]
            return one if one.get("partitions") == CAUGHT_UP else None

        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await first_ready(client)
                first = await eventually(caught_up, 20)
                assert first["service"] == "ingest" and first["roles"] == ["api", "projector"]
                assert first["version"] and first["spool"] == {"records": 0, "oldestAt": None}
                player = str(uuid.uuid4())
                await client.post(EVENTS, json=one_signal("v", player))
                await until_known(client, "v", player)

                async def has_moved() -> Any:
                    later = await caught_up()
                    return later if later and later["beat"] >= first["beat"] + 2 else None

                moved = await eventually(has_moved, 10)
                server.kill()
        # A restart takes the document over, by its spool's folder; a clean stop deletes it.
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await first_ready(client)

                async def is_taken_over() -> bool:
                    (one,) = await documents(database)
                    return bool(one["_id"] == first["_id"] and one["beat"] > moved["beat"])

                await eventually(is_taken_over, 20)
                assert server.stop() == 0
        assert await documents(database) == []


async def test_a_sender_beats_too_and_states_goodbye(settings: Settings) -> None:
    async with seeded(settings) as database:
        with stack.service("sender_service", settings, "--only", "ops,planner") as server:
            async with client_of(server) as client:
                await first_ready(client)
                (one,) = await eventually(lambda: documents(database), 10)
                assert one["service"] == "sender" and one["roles"] == ["ops", "planner"]
                assert "partitions" not in one and "spool" not in one and one["beat"] >= 1
                assert server.stop() == 0
        assert await documents(database) == []
