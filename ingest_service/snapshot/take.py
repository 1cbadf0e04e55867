"""Snapshots, taken while projectors continue: offsets first, documents after.

A document may be newer than the offsets then; it knows its events, so a replay from the offsets ends
equal. An erasure meanwhile makes the copy stale, and older ones too. An erasure is counted before its
first write and after its last. So a copy that began in between is older than the second count.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ingest_service.projector.meta import count_erasures
from ingest_service.snapshot.files import (
    COPIED,
    Header,
    Writer,
    damaged_snapshots,
    drop_partial,
    readable_snapshots,
)
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.kafka.client import ensure_topics
from shared.kafka.scan import committed_offsets, partitions_of
from shared.kafka.topics import DELIVERIES_TOPIC, EVENTS_TOPIC, PROJECTOR_GROUP, TOPICS
from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.whole_reads import walk
from shared.settings import Settings

log = logging.getLogger("carillon.snapshot")

READ = (EVENTS_TOPIC, DELIVERIES_TOPIC)
KEPT_SNAPSHOTS = 2
TRIES = 5
DOCUMENTS_A_READ = 1_000


def folder_of(settings: Settings) -> Path:
    return settings.data_dir / "snapshots"


async def take_snapshot(settings: Settings, database: Database, *, final: bool = False) -> Path:
    """Take a snapshot; return its path. Raises Unavailable."""
    log_id = await ensure_topics(settings.kafka, TOPICS)
    for _ in range(TRIES):
        offsets = await committed_offsets(settings.kafka, PROJECTOR_GROUP, partitions_of(READ))
        with translate_mongo_errors():
            count = await count_erasures(database)
        writer = Writer(folder_of(settings), Header(log_id, offsets, count, utc_now(), final))
        if await _copy(database, writer, count):
            return await _keep_last(settings, database, writer.path)
    raise Unavailable("a person was erased each time while the snapshot was taken: try again later")


async def _keep_last(settings: Settings, database: Database, path: Path) -> Path:
    size = _size(path)
    await drop_stale(settings, database)
    for old, _ in readable_snapshots(folder_of(settings))[KEPT_SNAPSHOTS:]:
        old.unlink(missing_ok=True)
    log.info("snapshot taken", extra={"path": path.name, "bytes": size})
    return path


def _size(path: Path) -> int:
    return path.stat().st_size


async def _copy(database: Database, writer: Writer, count: int) -> bool:
    """Copy the documents; return False, and discard the copy, if a person was erased meanwhile."""
    try:
        with translate_mongo_errors():
            for name in COPIED:
                async for document in walk(database[name], {}, at_once=DOCUMENTS_A_READ):
                    writer.add(name, document)
            whole = await count_erasures(database) == count
        if whole:
            writer.finish()
    except BaseException:
        writer.discard()
        raise
    if not whole:
        writer.discard()
    return whole


async def drop_stale(settings: Settings, database: Database) -> int:
    """Remove stale, unreadable and partial snapshots; return their number.

    A stale one is from before an erasure.
    """
    with translate_mongo_errors():
        count = await count_erasures(database)
    folder = folder_of(settings)
    stale = [path for path, header in readable_snapshots(folder) if header.erasures < count]
    stale += drop_partial(folder)
    unreadable = damaged_snapshots(folder)
    for path in unreadable:
        log.warning("unreadable snapshot removed", extra={"path": path.name})
    stale += unreadable
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)
