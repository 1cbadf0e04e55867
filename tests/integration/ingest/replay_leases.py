"""Replays in the database: their leases, staged collections and interrupted swaps."""

from __future__ import annotations

from typing import Any

from ingest_service.projector.pause_barrier import REPLAY_DOCUMENT
from ingest_service.replay.lease import ReplayLease, ReplayLeases
from ingest_service.replay.staging import Staging, staged_by
from ingest_service.snapshot.files import COPIED
from shared.clock import monotonic
from shared.mongo.client import Database


async def start_replay(database: Database) -> tuple[ReplayLease, Staging]:
    """Start a replay and fill its staged collections; `v` is new in them."""
    run = await ReplayLeases(database, monotonic).acquire()
    assert run is not None
    staging = Staging(database, run.name, 100)
    await staging.begin()
    await staging.fill([(name, {"_id": "v", "rev": 1}) for name in COPIED])
    return run, staging


async def staged_collections(database: Database) -> list[str]:
    return [n for n in await database.list_collection_names() if n.startswith("replay_")]


async def lease_of(database: Database) -> dict[str, Any]:
    return await database["projector"].find_one({"_id": REPLAY_DOCUMENT}) or {}


async def is_free(database: Database) -> bool:
    return (await lease_of(database)).get("run") is None and not await staged_collections(database)


async def interrupt_swap(database: Database) -> None:
    run, _ = await start_replay(database)
    await run.pause_projectors(0)
    await run.begin_swap()
    name = COPIED[0]
    await database[staged_by(run.name) + name].rename(name, dropTarget=True)
