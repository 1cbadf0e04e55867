"""The keeper of snapshots in the projector's process: daily, of its log, without erased persons."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from ingest_service.snapshot.files import readable_snapshots
from ingest_service.snapshot.take import drop_stale, folder_of, take_snapshot
from shared.clock import monotonic, utc_now
from shared.errors import Unavailable
from shared.loops import run_periodically
from shared.mongo.client import Database, blame_database
from shared.settings import Settings

log = logging.getLogger("carillon.snapshot")

SNAPSHOT_POLL_SECONDS = 5.0
AGE = timedelta(days=1)
SNAPSHOT_PAUSE_SECONDS = 60.0  # between two, however many are erased meanwhile


async def keep_snapshots(
    settings: Settings, database: Database, log_id: str, stop: asyncio.Event
) -> None:
    last: float | None = None

    async def step() -> None:
        nonlocal last
        try:
            with blame_database():
                await drop_stale(settings, database)
                is_time = last is None or monotonic() - last >= SNAPSHOT_PAUSE_SECONDS
                if is_time and _is_due(settings, log_id):
                    await take_snapshot(settings, database)
                    last = monotonic()
        except (Unavailable, OSError) as exc:  # a full disk: the log still has everything
            codes = exc.log_fields if isinstance(exc, Unavailable) else {}
            log.warning("snapshot failed", extra={"reason": type(exc).__name__, **codes})

    await run_periodically(step, SNAPSHOT_POLL_SECONDS, stop)


def _is_due(settings: Settings, log_id: str) -> bool:
    mine = [header for _, header in readable_snapshots(folder_of(settings)) if header.log == log_id]
    return not mine or utc_now() - mine[0].at > AGE
