"""Projection of the log, by the replay: from the snapshot's offsets to the live projector's."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_service.projector.decode import Projected, decode
from ingest_service.projector.projector import Projector
from ingest_service.replay.lease import ReplayLease
from ingest_service.snapshot.take import READ
from shared.errors import Rejected
from shared.kafka.records import Partition, Record
from shared.kafka.scan import committed_offsets, partitions_of, scan
from shared.kafka.topics import PROJECTOR_GROUP
from shared.settings import Settings
from shared.stage.runner import Item

log = logging.getLogger("carillon.replay")


@dataclass
class LogReplay:
    """Projection of the log into a replay's collections. `records` counts those that were read."""

    settings: Settings
    run: ReplayLease
    projector: Projector
    records: int = 0

    async def catch_up(self, starts: Mapping[Partition, int]) -> dict[Partition, int]:
        """Project the log up to the live projector's offsets; return these offsets."""
        ends = await committed_offsets(self.settings.kafka, PROJECTOR_GROUP, partitions_of(READ))
        async for batch in scan(self.settings.kafka, starts, ends):
            self.run.check()
            await self._handle([item for item in map(_to_item, batch) if item is not None])
            self.records += len(batch)
        return {place: max(ends[place], starts.get(place, 0)) for place in ends}

    async def _handle(self, items: Sequence[Item[Projected]]) -> None:
        """Project a batch; skip only the records that can't be projected, as the stage does."""
        try:
            if items:
                await self.projector.handle(items)
        except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
            if len(items) == 1:
                log.warning("record skipped", extra={"reason": type(exc).__name__})
                return
            for item in items:
                await self._handle([item])


def _to_item(record: Record) -> Item[Projected] | None:
    try:
        value = decode(record)
    except Rejected:
        return None
    return Item(record, value) if value is not None else None
