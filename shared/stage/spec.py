"""Parts of a Kafka stage: decode, handle, and what all stages of a process share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.clock import Clock
from shared.health import Health
from shared.kafka.client import LogWriter
from shared.kafka.records import Record
from shared.settings import KafkaSettings
from shared.stage.dead_letters import Poison

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """Record with its decoded value."""

    record: Record
    value: T


Handler = Callable[[Sequence[Item[T]]], Awaitable[Sequence[Poison]]]


@dataclass(frozen=True)
class StageSpec(Generic[T]):
    """Specification of a stage.

    `decode` returns None for records of other stages and raises Rejected for poison. `handle` returns the
    poison it found and raises Unavailable to be tried again.
    """

    name: str
    group: str
    topics: tuple[str, ...]
    decode: Callable[[Record], T | None]
    handle: Handler[T]
    batch_records: int = 500
    linger_seconds: float = 0.0  # that a batch waits for more: few cost as many round trips
    in_flight: int = 1
    drain_seconds: float = 10.0
    can_rest: bool = False  # its own process publishes its urgent records (KafkaSettings.rest_ms)
    join_seconds: float = 30.0  # for its group to share out the partitions; seen: 3


@dataclass(frozen=True)
class StageContext:
    """Dependencies of every stage of a process. `log_id` is the log's identity (its cluster id)."""

    kafka: KafkaSettings
    writer: LogWriter
    log_id: str
    clock: Clock
    health: Health
