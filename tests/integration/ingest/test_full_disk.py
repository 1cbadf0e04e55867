"""The disk under the spool is full: all that was accepted arrives, and ingest recovers by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ingest_service.guarded_log import HOLD
from tests import stack
from tests.disk import fill, small_disk
from tests.integration.ingest.load import Load, read_log
from tests.integration.ingest.running import client_of, seeded, until


async def test_b4_a_disk_full_of_the_spool_empties_without_growing(
    broker: str, mongo_uri: str, tmp_path: Path
) -> None:
    """Kafka is held until the disk is full, then released: nothing is lost, nothing stands still."""
    with small_disk(tmp_path / "disk", mebibytes=3) as disk:
        settings = stack.settings_for(broker, mongo_uri, disk)
        settings = settings.model_copy(update={"log_level": "WARNING"})
        async with seeded(settings):
            with stack.service("ingest_service", settings, "--only", "api") as server:
                async with client_of(server) as client:
                    await until(client, 200, "ready")
                    hold = settings.data_dir / HOLD
                    hold.touch()
                    load = Load(client, events=20)
                    stop = asyncio.Event()
                    running = asyncio.create_task(load.run(stop))
                    await stack.eventually(lambda: running.done() or load.answers[503] > 20, 60)
                    await until(client, 503, "unavailable")
                    health = (await client.get("/health/ready")).json()
                    assert "spool_failed" in [part["error"] for part in health["dependencies"]]
                    stop.set()
                    await running
                    fill(disk)  # nor is there room for a deletion
                    hold.unlink()
                    await until(client, 200, "ready", 30)
                    before = load.count
                    stop = asyncio.Event()
                    running = asyncio.create_task(load.run(stop))
                    await stack.eventually(lambda: running.done() or load.count > before + 100, 30)
                    stop.set()
                    await running
                    assert load.answers.keys() == {202, 503}
                    load.check(await read_log(broker))
