"""Records of the log, as published and as read, and where they lie. Nothing of Kafka's client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

TYPE_HEADER = "type"


class OutgoingRecord(NamedTuple):
    """Record to publish. `type` travels as a header, so that a stage skips other types."""

    topic: str
    key: str | bytes
    value: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record as read. `at_ms` is the broker's timestamp in Unix milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    type: str
    at_ms: int


Partition = tuple[str, int]  # topic, partition
Offsets = Mapping[Partition, int]  # the next offset to read
