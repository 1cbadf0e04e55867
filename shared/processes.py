"""The `processes` collection: one document a running process, with a beat a second.

    {_id, service, roles, version, beat, partitions {n: behindMs}, spool {records, oldestAt}}

`partitions` are those of `carillon.events` that the process's projector has. `behindMs` is the age of
the oldest event that isn't done; 0 only after a fetch that met the end. A partition is left out while
that age is unknown, as after 10 s without an answered fetch. Readers compare no clocks: a process lives
while its beat moves.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock, utc_now
from shared.errors import StoreUnavailable
from shared.mongo.client import Database, blame_database
from shared.mongo.collections import PROCESSES

CARILLON_VERSION = "0.1.0"
PROCESS_RETENTION = timedelta(days=7)  # after the last beat, of a process that was killed


@dataclass(frozen=True)
class SpoolState:
    """Records that wait on a process's disk: how many, and since when."""

    records: int
    oldest_at: datetime | None


Partitions = Callable[[], Awaitable[dict[int, int]]]
ReadSpool = Callable[[], Awaitable[SpoolState]]


class ProcessHeartbeat:
    """Writer of one process's document."""

    def __init__(
        self,
        database: Database,
        name: str,
        service: str,
        roles: Collection[str],
        clock: Clock = utc_now,
    ) -> None:
        self._clock = clock
        self._processes = database[PROCESSES.name]
        self._name = name
        self._head = {"service": service, "roles": sorted(roles), "version": CARILLON_VERSION}
        self.partitions: Partitions | None = None  # of a projector
        self.spool: ReadSpool | None = None  # of an API

    async def beat(self) -> None:
        """Write the next beat. Raises StoreUnavailable."""
        changes: dict[str, Any] = {**self._head, "expireAt": self._clock() + PROCESS_RETENTION}
        update = {"$set": changes, "$inc": {"beat": 1}}
        if self.partitions is None:
            # The predecessor whose document was taken over may have had a projector.
            update["$unset"] = {"partitions": ""}
        else:
            behind = await self.partitions()
            changes["partitions"] = {str(n): behind[n] for n in sorted(behind)}
        if self.spool is not None:
            changes["spool"] = _encode_spool(await self.spool())
        with blame_database():
            # The count goes on where a process takes its predecessor's document over.
            await self._processes.update_one({"_id": self._name}, update, upsert=True)

    async def leave(self) -> None:
        """Delete the document at a clean stop, but not while events wait on the disk."""
        spool = SpoolState(0, None) if self.spool is None else await self.spool()
        own = {"_id": self._name}
        with suppress(StoreUnavailable), blame_database():
            if not spool.records:
                await self._processes.delete_one(own)
            else:
                # Only this document shows that events wait on a stopped process's disk.
                await self._processes.update_one(own, {"$set": {"spool": _encode_spool(spool)}})


def _encode_spool(spool: SpoolState) -> dict[str, Any]:
    return {"records": spool.records, "oldestAt": spool.oldest_at}


def unique_name(service: str) -> str:
    """Return a name that no other process has, nor had."""
    return f"{service}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
