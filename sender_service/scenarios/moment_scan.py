"""Scan of the moments that the log has since a time, outside of any group."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.kafka.records import Offsets, Partition, Record
from shared.kafka.scan import first_offsets, offsets_at, partitions_of, scan
from shared.kafka.topics import MOMENTS_TOPIC
from shared.settings import KafkaSettings

MILLISECOND = timedelta(milliseconds=1)


class Moments(Protocol):
    """Moments since a time. `known_since`, as far as they were read: when the log begins, if later."""

    @property
    def known_since(self) -> datetime | None: ...

    def batches(self) -> AsyncGenerator[list[Record], None]:
        """Yield records, until the end that the log has now. Raises LogUnavailable."""
        ...


ReadMoments = Callable[[datetime], Moments]


@dataclass(slots=True)
class LogBegin:
    """Begin of the log, by what was read of each partition since a time.

    `firsts`: offsets that the log still has; `starts`: those where the reading began.
    """

    since: datetime
    firsts: Offsets
    starts: Offsets
    _begins: dict[Partition, datetime | None] = field(default_factory=dict, init=False)

    def look_at(self, record: Record) -> None:
        place = record.topic, record.partition
        if place not in self._begins:
            at = at_of(record)
            is_first = record.offset <= self.firsts.get(place, 0)
            self._begins[place] = at if is_first and at > self.since else None

    @property
    def known_since(self) -> datetime | None:
        """Return the first time of which nothing lacks; None where the log reaches back."""
        begins = {place: at for place, at in self._begins.items() if at is not None}
        cut = [at for place, at in begins.items() if self.firsts.get(place, 0) > 0]
        if cut:
            return max(cut)
        has_earlier = any(self.starts[place] > first for place, first in self.firsts.items())
        if has_earlier or not begins or len(begins) < len(self._begins):
            return None
        return min(begins.values())  # a young log: nothing was dropped


@dataclass(slots=True)
class MomentScan:
    """Moments of the log, read once."""

    kafka: KafkaSettings
    since: datetime
    _begin: LogBegin | None = field(default=None, init=False)

    @property
    def known_since(self) -> datetime | None:
        return None if self._begin is None else self._begin.known_since

    async def batches(self) -> AsyncGenerator[list[Record], None]:
        places = partitions_of([MOMENTS_TOPIC])
        firsts = await first_offsets(self.kafka, places)
        starts, ends = await offsets_at(self.kafka, places, self.since)
        begin = self._begin = LogBegin(self.since, firsts, starts)
        async with aclosing(scan(self.kafka, starts, ends)) as found:
            async for records in found:
                for record in records:
                    begin.look_at(record)
                # Some brokers begin at the first record where none is as late.
                yield [record for record in records if at_of(record) >= self.since]


def at_of(record: Record) -> datetime:
    return datetime.fromtimestamp(0, UTC) + record.at_ms * MILLISECOND
