"""The disk under the spool is full: all that was accepted arrives, and ingest recovers by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from ingest_service.durable.circuit_breaker import PAUSE_FILE
from tests.integration.ingest.load import Load, read_log
from tests.support import stack
from tests.support.disk import fill, small_disk
from tests.support.ingest_process import client_of, seeded, until


@asynccontextmanager
async def running(load: Load) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(load.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def errors_of(client: httpx.AsyncClient) -> list[str | None]:
    parts = (await client.get("/health/ready")).json()["dependencies"]
    return [part["error"] for part in parts]


async def test_b4_a_disk_full_of_the_spool_empties_without_growing(
    broker: str, mongo_uri: str, tmp_path: Path
) -> None:
    """Kafka is held until the disk is full, then released: nothing is lost, nothing stands still."""
    with small_disk(tmp_path / "disk", mebibytes=3) as disk:
        settings = stack.settings_for(broker, mongo_uri, disk)
        settings = settings.model_copy(update={"log_level": "WARNING"})
        reserve = settings.data_dir / PAUSE_FILE
        async with seeded(settings):
            with stack.service("ingest_service", settings, "--only", "api") as server:
                async with client_of(server) as client:
                    await until(client, 200, "ready")
                    reserve.touch()
                    load = Load(client, events=20)
                    async with running(load) as task:
                        await stack.eventually(lambda: task.done() or load.answers[503] > 20, 60)
                        await until(client, 503, "unavailable")
                        assert "spool_failed" in await errors_of(client)
                    fill(disk)  # nor is there room for a deletion
                    reserve.unlink()
                    await until(client, 200, "ready", 30)
                    enough = load.count + 100
                    async with running(load) as task:
                        await stack.eventually(lambda: task.done() or load.count > enough, 30)
                assert load.answers.keys() == {202, 503}
                load.check(await read_log(broker))
