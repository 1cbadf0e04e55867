"""Replays that meet, are killed or lose their turn, as processes beside a service that runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest_service.projector.pause_barrier import PROCESS_ID_PREFIX, REPLAY_DOCUMENT
from ingest_service.replay.lease import EXPIRY_SECONDS
from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.integration.ingest.commands import environment_of, run_command
from tests.integration.ingest.replay_leases import (
    interrupt_swap,
    is_free,
    lease_of,
    staged_collections,
)
from tests.integration.ingest.shop_day import contents, publish_shop_day, until_projected
from tests.support import stack
from tests.support.ingest_process import client_of, seeded, until


@asynccontextmanager
async def a_projector_at_a_batch(database: Database) -> AsyncIterator[None]:
    """Store a process that a replay has to wait for."""
    mine = {"_id": f"{PROCESS_ID_PREFIX}at-a-batch"}

    async def beat() -> None:
        while True:
            change = {"$inc": {"beat": 1}, "$set": {"paused": None}}
            await database["projector"].update_one(mine, change, upsert=True)
            await asyncio.sleep(0.5)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await database["projector"].delete_one(mine)


async def test_of_two_replays_one_refuses_and_the_other_ends_equal(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                before = await contents(database)
                async with a_projector_at_a_batch(database):
                    first = asyncio.create_task(run_command(alone, "replay"))
                    await stack.eventually(lambda: staged_collections(database), 30)
                    bad, refusal = await run_command(alone, "replay")
                    assert bad == 2 and not first.done(), refusal
                good, output = await first
                assert good == 0, output
                assert refusal.startswith("replay: another replay is under way"), refusal
                assert refusal.count("\n") == 1
                assert await contents(database) == before
                assert await is_free(database)


async def test_pause_that_is_lost_midway_leaves_all_as_it_was(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                before = await contents(database)
                replaying = asyncio.create_task(run_command(alone, "replay"))

                async def is_lost() -> bool:
                    done = await database["projector"].update_one(
                        {"_id": REPLAY_DOCUMENT, "phase": "pausing"},
                        {"$set": {"run": None, "phase": None}},
                    )
                    return done.matched_count == 1

                await stack.eventually(is_lost, 30)
                code, output = await replaying
                assert code == 2 and output.splitlines()[-1].startswith(
                    "replay: this replay has lost"
                )
                assert await contents(database) == before
                assert await is_free(database)
                await publish_shop_day(client, 2)
                await until_projected(database, 4)


async def test_projector_clears_away_what_a_killed_replay_left(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                before = await contents(database)
                await killed_replay(alone, database)
                await stack.eventually(lambda: is_free(database), EXPIRY_SECONDS + 15)
                assert await contents(database) == before
                await publish_shop_day(client, 2)
                await until_projected(database, 4)


async def killed_replay(settings: Settings, database: Database) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_service", "replay", env=environment_of(settings),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await stack.eventually(lambda: staged_collections(database), 30)
    process.kill()
    await process.wait()
    assert await staged_collections(database) and (await lease_of(database))["run"] is not None


async def test_next_replay_completes_a_swap_that_was_cut_off(alone: Settings) -> None:
    async with open_database(alone.mongo, "test") as database:
        await interrupt_swap(database)
        code, output = await run_command(alone, "replay")
        assert code == 0 and "was removed" in output, output
        assert await is_free(database)
        assert (await lease_of(database))["generation"] == 2
