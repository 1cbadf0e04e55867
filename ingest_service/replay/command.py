"""The command `replay`: rebuilds the collections beside the live ones, then swaps them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ingest_service.projector.meta import log_of
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.replay.lease import ReplayLease, ReplayLeases
from ingest_service.replay.log_replay import LogReplay
from ingest_service.replay.staging import Staging, swap
from ingest_service.replay.start import Lineage, choose_origin
from ingest_service.replay.sweeper import end_run
from ingest_service.snapshot.files import Header, read_documents, readable_snapshots
from ingest_service.snapshot.take import READ, drop_stale, folder_of
from shared.clock import monotonic, utc_now
from shared.errors import Conflict, Rejected, StoreUnavailable
from shared.kafka.client import ensure_topics
from shared.kafka.records import Partition
from shared.kafka.scan import first_offsets, partitions_of
from shared.kafka.topics import TOPICS
from shared.mongo.client import Database, open_database, translate_mongo_errors
from shared.secret_check import check_secret
from shared.secrets import Vault
from shared.settings import Settings

REPLAY_POLL_SECONDS = 0.5
DEAD_MARGIN_SECONDS = 2.0
GENERATION = 2**40  # revisions of one generation of the collections; no document reaches them


async def replay(settings: Settings) -> int:
    """Rebuild the projections beside the live ones, and swap them.

    Raises Conflict where the log is another one, or another replay has the lease. Raises Rejected under
    another secret key, and Unavailable.
    """
    async with open_database(settings.mongo, "carillon-replay") as database:
        # Another key would make other ids of all persons, and find no tombstone.
        await check_secret(database, Vault(settings.secret_key.get_secret_value()))
        run = await acquire_lease(ReplayLeases(database, monotonic), database)
        staging = Staging(database, run.name, (run.generation + 1) * GENERATION)
        async with _dropped_on_error(run, staging):
            await _rebuild(settings, database, run, staging)
    return 0


async def _rebuild(
    settings: Settings, database: Database, run: ReplayLease, staging: Staging
) -> None:
    vault = Vault(settings.secret_key.get_secret_value())
    people = PersonIds(vault.derive("person"))
    offsets = await _fill_staging(
        await _lineage(settings, database), readable_snapshots(folder_of(settings)), staging
    )
    work = LogReplay(settings, run, Projector(staging.store, people, utc_now))
    at = await work.catch_up(offsets)
    different = await staging.copy_clock_fields()
    # By then Kafka has revoked a dead member's partitions, so it commits nothing more.
    await run.pause_projectors(settings.kafka.session_timeout_ms / 1000 + DEAD_MARGIN_SECONDS)
    await work.catch_up(at)
    await staging.check()
    await run.begin_swap()
    await swap(database, run.name)
    await run.end_swap()
    _print(f"{work.records:,} records replayed; {different:,} documents differ")


async def acquire_lease(runs: ReplayLeases, database: Database) -> ReplayLease:
    """Acquire the lease; end or complete an expired replay first.

    Raises Conflict while another replay writes its heartbeat.
    """
    first = await runs.current()
    while (run := await runs.acquire()) is None:
        found = await runs.current()
        if found.run and found.mark != first.mark:
            raise Conflict(
                "another replay is under way: wait for its end, and check whether this one is needed",
                code="replay_under_way",
            )
        expired = await runs.expired()
        if expired is not None:
            await end_run(runs, database, expired)
            _print("an interrupted replay was removed")
        await asyncio.sleep(REPLAY_POLL_SECONDS)
    return run


@asynccontextmanager
async def _dropped_on_error(run: ReplayLease, staging: Staging) -> AsyncIterator[None]:
    """Hold the lease; after an error release it and drop the staged collections.

    While the store is away, a projector's sweeper does it later.
    """
    async with run.kept():
        try:
            yield
        except BaseException:
            with suppress(StoreUnavailable):
                if await run.release():
                    await staging.drop()
            raise


async def _fill_staging(
    lineage: Lineage, snapshots: Sequence[tuple[Path, Header]], staging: Staging
) -> dict[Partition, int]:
    """Fill the staging from the newest whole snapshot; return the offsets to continue from."""
    origin = choose_origin(snapshots, lineage)
    await staging.begin()
    if origin.snapshot is not None:
        try:
            count = await staging.fill(read_documents(origin.snapshot))
        except Rejected as exc:
            _print(exc.message)
            await staging.drop()
            left = [found for found in snapshots if found[0] != origin.snapshot]
            return await _fill_staging(lineage, left, staging)
        _print(f"{count:,} documents from {origin.snapshot.name}")
    return origin.offsets


async def _lineage(settings: Settings, database: Database) -> Lineage:
    log_id = await ensure_topics(settings.kafka, TOPICS)
    with translate_mongo_errors():
        known, before = await log_of(database)
    await drop_stale(settings, database)
    firsts = await first_offsets(settings.kafka, partitions_of(READ))
    if known != log_id:  # no projector has seen it yet
        before = known
    return Lineage(log_id, before, firsts)


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
