"""Takes a snapshot, while projectors go on: offsets first, documents after.

A document may be newer than the offsets then; what it has seen already is known to it, so a replay
from the offsets ends equal. Whoever is erased meanwhile makes the copy void, and older ones too: an
erasure is counted before its first write and after its last, so a copy that began in between is
older than the second count.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ingest_service.projector.meta import erasures
from ingest_service.snapshot.files import COPIED, Header, Writer, damaged, drop_partial, every
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
KEPT = 2
TRIES = 5
DOCUMENTS_A_READ = 1_000


def folder_of(settings: Settings) -> Path:
    return settings.data_dir / "snapshots"


async def take_snapshot(settings: Settings, database: Database, *, final: bool = False) -> Path:
    """Raises Unavailable."""
    log_id = await ensure_topics(settings.kafka, TOPICS)
    for _ in range(TRIES):
        offsets = await committed_offsets(settings.kafka, PROJECTOR_GROUP, partitions_of(READ))
        with translate_mongo_errors():
            count = await erasures(database)
        writer = Writer(folder_of(settings), Header(log_id, offsets, count, utc_now(), final))
        if await _copy(database, writer, count):
            return await _keep_last(settings, database, writer.path)
    raise Unavailable("somebody was erased each time while the snapshot was taken: try again later")


async def _keep_last(settings: Settings, database: Database, path: Path) -> Path:
    size = _size(path)
    await drop_stale(settings, database)
    for old, _ in every(folder_of(settings))[KEPT:]:
        old.unlink(missing_ok=True)
    log.info("snapshot taken", extra={"path": path.name, "bytes": size})
    return path


def _size(path: Path) -> int:
    return path.stat().st_size


async def _copy(database: Database, writer: Writer, count: int) -> bool:
    """False where somebody was erased meanwhile."""
    try:
        with translate_mongo_errors():
            for name in COPIED:
                async for document in walk(database[name], {}, at_once=DOCUMENTS_A_READ):
                    writer.add(name, document)
            whole = await erasures(database) == count
        if whole:
            writer.finish()
    except BaseException:
        writer.discard()
        raise
    if not whole:
        writer.discard()
    return whole


async def drop_stale(settings: Settings, database: Database) -> int:
    """Remove snapshots from before an erasure, or that don't tell, or are of the dead; returns how many."""
    with translate_mongo_errors():
        count = await erasures(database)
    folder = folder_of(settings)
    stale = [path for path, header in every(folder) if header.erasures < count]
    stale += drop_partial(folder)
    unknown = damaged(folder)
    for path in unknown:
        log.warning("damaged snapshot removed", extra={"path": path.name})
    stale += unknown
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)
