"""One replay at a time, whatever is killed, frozen or lost on the way; the live collections are safe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingest_service.projector.pause_barrier import PauseBarrier
from ingest_service.projector.replay_state import ReplayState
from ingest_service.replay.command import acquire_lease
from ingest_service.replay.lease import EXPIRY_SECONDS, ReplayLeases
from ingest_service.replay.staging import Staging, staged_by
from ingest_service.replay.sweeper import GONE_SECONDS, Sweeper
from ingest_service.snapshot.files import COPIED
from shared.clock import monotonic
from shared.errors import Conflict, StoreUnavailable
from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.integration.ingest.replay_leases import (
    interrupt_swap,
    is_free,
    lease_of,
    staged_collections,
    start_replay,
)
from tests.support import stack


class Handlers:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as opened:
        yield opened


async def test_document_that_was_copied_twice_stands_as_it_was_last(database: Database) -> None:
    run = await ReplayLeases(database, monotonic).acquire()
    assert run is not None
    staging = Staging(database, run.name, 100)
    await staging.begin()
    emails = ["eva@example.test", "eva@other.test"]
    copies: list[tuple[str, dict[str, Any]]] = [
        ("profiles", {"_id": "p", "rev": n, "email": email}) for n, email in enumerate(emails)
    ]
    assert await staging.fill([*copies, ("profiles", {"_id": "q", "rev": 3})]) == 3
    found = {d["_id"]: d async for d in database[f"{staged_by(run.name)}profiles"].find({})}
    assert found == {
        "p": {"_id": "p", "rev": 101, "email": emails[1]}, "q": {"_id": "q", "rev": 101}
    }  # fmt: skip
    await staging.drop()
    assert await run.release()


async def test_only_one_has_the_turn(database: Database) -> None:
    runs = ReplayLeases(database, monotonic)
    run = await runs.acquire()
    assert run is not None and await runs.acquire() is None
    assert await run.release()
    assert await runs.acquire() is not None


async def test_of_two_first_ones_one_has_the_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has ever replayed here: there is no document yet when they look.
    runs, other = ReplayLeases(database, monotonic), ReplayLeases(database, monotonic)
    current = runs.current

    async def too_late() -> ReplayState:
        found = await current()
        if found == ReplayState.of({}):
            assert await other.acquire() is not None
        return found

    monkeypatch.setattr(runs, "current", too_late)
    with pytest.raises(Conflict, match="another replay is under way"):
        await acquire_lease(runs, database)


async def test_a_run_that_stands_still_is_ended_and_can_not_swap(database: Database) -> None:
    clock = Handlers()
    sweeper = Sweeper(database, clock)
    await database["profiles"].insert_one({"_id": "live"})
    run, staging = await start_replay(database)
    await run.pause_projectors(0)
    assert not await sweeper.check()
    clock.at += EXPIRY_SECONDS + 1
    assert await sweeper.check()
    await sweeper.sweep()
    assert await is_free(database)
    await staging.fill([("profiles", {"_id": "late"})])  # it was frozen, and goes on
    with pytest.raises(Conflict, match="lost its lease"):
        await run.begin_swap()
    assert [d["_id"] async for d in database["profiles"].find({})] == ["live"]
    await sweeper.sweep()
    assert await is_free(database)


async def test_a_run_that_beats_is_let_alone(database: Database) -> None:
    clock = Handlers()
    sweeper = Sweeper(database, clock)
    run, _ = await start_replay(database)
    async with run.kept():
        for _ in range(3):
            beat = (await lease_of(database))["beat"]

            async def has_beaten(since: int = beat) -> bool:
                return bool((await lease_of(database))["beat"] > since)

            assert not await sweeper.check()
            await stack.eventually(has_beaten)
            clock.at += EXPIRY_SECONDS - 1
    await sweeper.sweep()
    assert len(await staged_collections(database)) == len(COPIED)
    run.check()


async def test_a_swap_that_was_cut_off_is_completed(database: Database) -> None:
    clock = Handlers()
    sweeper = Sweeper(database, clock)
    await interrupt_swap(database)
    assert not await sweeper.check()
    clock.at += EXPIRY_SECONDS + 1
    assert await sweeper.check()
    for name in COPIED:
        assert [d["_id"] async for d in database[name].find({})] == ["v"]
    assert await is_free(database)
    assert (await lease_of(database))["generation"] == 1


async def test_a_sleeper_of_an_earlier_run_moves_nothing(database: Database) -> None:
    run, staging = await start_replay(database)
    await run.pause_projectors(0)
    await run.begin_swap()
    clock = Handlers()
    sweeper = Sweeper(database, clock)
    await sweeper.check()
    clock.at += EXPIRY_SECONDS + 1
    assert await sweeper.check()
    await database["visitors"].insert_one({"_id": "new"})
    await run.end_swap()
    assert (await lease_of(database))["generation"] == 1
    assert await database["visitors"].find_one({"_id": "new"}) is not None
    with pytest.raises(Conflict, match="are missing"):
        await staging.check()


async def test_a_batch_that_met_a_swap_does_not_count(database: Database) -> None:
    barrier = PauseBarrier(database, "frozen")
    await barrier.join()
    async with barrier.batch():
        pass
    run, _ = await start_replay(database)
    with pytest.raises(StoreUnavailable):
        async with barrier.batch():  # taken for dead
            await run.pause_projectors(0)
    await run.begin_swap()
    await run.end_swap()
    with pytest.raises(StoreUnavailable):
        async with barrier.batch():
            pass
    await barrier.poll()
    async with barrier.batch():
        pass


async def test_processes_that_are_gone_are_forgotten(database: Database) -> None:
    clock = Handlers()
    sweeper = Sweeper(database, clock)
    living, dead = PauseBarrier(database, "living"), PauseBarrier(database, "dead")
    await dead.poll()
    for _ in range(2):
        await living.poll()
        await sweeper.sweep()
        clock.at += GONE_SECONDS + 1
    await living.poll()
    await sweeper.sweep()
    names = [d["_id"] async for d in database["projector"].find({})]
    assert names == ["process:living"]


async def test_what_could_not_be_written_is_not_reported(database: Database) -> None:
    run, staging = await start_replay(database)
    await database[f"{staged_by(run.name)}profiles"].create_index("email", unique=True)
    with pytest.raises(Exception, match="11000") as raised:
        await staging.fill([("profiles", {"_id": n, "email": "eva@example.test"}) for n in "pq"])
    assert "eva" not in str(raised.value) and raised.value.__suppress_context__
