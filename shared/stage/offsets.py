"""Offsets that may be committed: those before the first unfinished unit of each partition."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from shared.kafka.records import Partition, Record


@dataclass(eq=False)
class Unit:
    """Records of one poll, worked on together."""

    records: Sequence[Record]
    done: bool = False


class OffsetTracker:
    """Tracker of units by partition, in the order they were read."""

    def __init__(self) -> None:
        self._open: dict[Partition, deque[tuple[Unit, int, int]]] = defaultdict(deque)
        self._at: dict[Partition, int] = {}

    def open(self, records: Sequence[Record]) -> Unit:
        """Begin a unit; `records` are in order within each partition."""
        unit = Unit(records)
        last = {(r.topic, r.partition): r.offset + 1 for r in records}
        counts = Counter((r.topic, r.partition) for r in records)
        for place, after in last.items():
            self._open[place].append((unit, after, counts[place]))
        return unit

    def ready(self) -> dict[Partition, int]:
        """Return the offsets to commit now, without those committed already."""
        ready: dict[Partition, int] = {}
        for place, units in self._open.items():
            while units and units[0][0].done:
                self._at[place] = units.popleft()[1]
            if place in self._at:
                ready[place] = self._at[place]
        return ready

    def unfinished(self) -> dict[str, int]:
        """Return by topic how many records were read whose unit isn't done."""
        behind: Counter[str] = Counter()
        for (topic, _), units in self._open.items():
            behind[topic] += sum(count for unit, _, count in units if not unit.done)
        return behind

    def oldest(self) -> Record | None:
        """Return the first record that was read but isn't done."""
        units = (unit for of in self._open.values() for unit, *_ in of if not unit.done)
        return min((unit.records[0] for unit in units), key=lambda r: r.at_ms, default=None)

    def oldest_by_partition(self, topic: str) -> dict[int, int]:
        """Return when the first record that isn't done was published, in Unix milliseconds."""
        return {
            place[1]: min(r.at_ms for r in unit.records if (r.topic, r.partition) == place)
            for place, units in self._open.items()
            if place[0] == topic
            for unit in [next((one for one, *_ in units if not one.done), None)]
            if unit is not None
        }

    def committed(self, offsets: dict[Partition, int]) -> None:
        for place, after in offsets.items():
            if self._at.get(place) == after:
                del self._at[place]
