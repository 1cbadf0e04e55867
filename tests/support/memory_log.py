"""Log of published records, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.errors import LogUnavailable
from shared.kafka.records import OutgoingRecord
from shared.models.event import Event


@dataclass
class MemoryLog:
    """Keeps published records. Raises LogUnavailable while `away`."""

    records: list[OutgoingRecord] = field(default_factory=list)
    calls: int = 0
    away: bool = False

    async def publish(self, records: Iterable[OutgoingRecord]) -> None:
        if self.away:
            raise LogUnavailable("Kafka is away")
        self.calls += 1
        self.records += records

    @property
    def events(self) -> list[Event]:
        return [Event.parse(record.value) for record in self.records]

    def take(self, *topics: str, most: int | None = None) -> list[bytes]:
        """Remove the first records of these topics; return their values."""
        taken = [record for record in self.records if record.topic in topics][:most]
        self.records = [record for record in self.records if record not in taken]
        return [record.value for record in taken]
