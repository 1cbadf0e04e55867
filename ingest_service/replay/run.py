"""`python -m ingest_service replay`: beside the live collections first, then in their place."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_service.projector.decode import Projected, decode
from ingest_service.projector.people import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.state import log_of
from ingest_service.replay.holding import Holder
from ingest_service.replay.origin import Lineage, Origin, choose_origin
from ingest_service.replay.staging import Staging
from ingest_service.snapshot.files import every, read
from ingest_service.snapshot.take import READ, drop_stale, folder_of
from shared.clock import utc_now
from shared.errors import Rejected
from shared.kafka import Place, Record, ensure_topics
from shared.kafka_scan import committed_offsets, first_offsets, places_of, scan
from shared.mongo import Database, open_database, translate_mongo_errors
from shared.secrets import Vault
from shared.settings import Settings
from shared.stage import Item
from shared.topics import PROJECTOR, TOPICS

log = logging.getLogger("carillon.replay")

GENERATION = 2**40  # revisions of one generation of the collections; no document reaches them


@dataclass
class Replay:
    settings: Settings
    database: Database
    staging: Staging
    projector: Projector
    records: int = 0

    async def catch_up(self, starts: Mapping[Place, int]) -> dict[Place, int]:
        """Up to where the live projector is; returns that."""
        ends = await committed_offsets(self.settings.kafka, PROJECTOR, places_of(READ))
        async for batch in scan(self.settings.kafka, starts, ends):
            await self._handle([item for item in map(_to_item, batch) if item is not None])
            self.records += len(batch)
        return {place: max(ends[place], starts.get(place, 0)) for place in ends}

    async def _handle(self, items: Sequence[Item[Projected]]) -> None:
        """As the stage does: what can't be projected is left out alone (it is a dead letter)."""
        try:
            if items:
                await self.projector.handle(items)
        except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
            if len(items) == 1:
                log.warning("record left out", extra={"reason": type(exc).__name__})
                return
            for item in items:
                await self._handle([item])


async def replay(settings: Settings) -> int:
    """Raises Conflict where the log is another one, and Unavailable."""
    vault = Vault(settings.secret_key.get_secret_value())
    people = PersonIds(vault.derive("person"))
    async with open_database(settings.mongo, "carillon-replay") as database:
        holder = Holder(database)
        generation = await holder.generation() + 1
        staging = Staging(database, generation * GENERATION)
        if await holder.is_swapping():
            await staging.swap()
            await holder.release(generation)
            _say("the swap that was cut off is complete")
            return 0
        origin = await _origin(settings, database)
        await staging.begin()
        if origin.snapshot is not None:
            count = await staging.fill(read(origin.snapshot))
            _say(f"{count:,} documents from {origin.snapshot.name}")
        projector = Projector(staging.store, people, utc_now)
        work = Replay(settings, database, staging, projector)
        at = await work.catch_up(origin.offsets)
        different = await staging.settle()
        async with holder.held(generation):
            await work.catch_up(at)
            await holder.begin_swap()
            await staging.swap()
    _say(f"{work.records:,} records replayed; {different:,} documents are not as they were")
    return 0


async def _origin(settings: Settings, database: Database) -> Origin:
    log_id = await ensure_topics(settings.kafka, TOPICS)
    with translate_mongo_errors():
        known, before = await log_of(database)
    await drop_stale(settings, database)
    firsts = await first_offsets(settings.kafka, places_of(READ))
    if known != log_id:  # no projector has seen it yet
        before = known
    return choose_origin(every(folder_of(settings)), Lineage(log_id, before, firsts))


def _to_item(record: Record) -> Item[Projected] | None:
    try:
        value = decode(record)
    except Rejected:
        return None
    return Item(record, value) if value is not None else None


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
