"""Kafka that goes away or freezes, and a durable log above it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ingest_service.durable.durable_log import DurableLog, PublishTimeouts
from ingest_service.durable.spool import Spool
from shared.errors import LogUnavailable
from shared.kafka.records import OutgoingRecord
from tests.support.stack import eventually

TIMEOUTS = PublishTimeouts(answering_seconds=0.05, draining_seconds=0.2)
SPOOL_LIMIT = 1_000_000


class FickleKafka:
    """Kafka that is up, away (refuses at once), or frozen: accepts records without an answer."""

    def __init__(self) -> None:
        self.state = "up"
        self.records: list[OutgoingRecord] = []
        self.calls = 0

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.state == "away":
            raise LogUnavailable("away")
        if self.state == "broken":
            raise RuntimeError("a mistake of somebody's")
        self.records += records
        if self.state == "frozen":
            await asyncio.sleep(seconds)
            raise LogUnavailable("no answer")

    async def check(self) -> None:
        if self.state == "mute":
            await asyncio.Event().wait()
        if self.state not in ("up", "broken"):
            raise LogUnavailable("away")

    @property
    def values(self) -> list[int]:
        return [int(record.value) for record in self.records]

    def firsts(self) -> list[int]:
        return list(dict.fromkeys(self.values))


def create_log(kafka: FickleKafka, folder: Path) -> DurableLog:
    return DurableLog(kafka, Spool(folder / "spool.sqlite"), SPOOL_LIMIT, TIMEOUTS)


def numbered_record(number: int, size: int = 1) -> OutgoingRecord:
    return OutgoingRecord(
        "carillon.events", f"v{number % 3}", str(number).encode().rjust(size), "x"
    )


async def wait_until_drained(durable: DurableLog) -> None:
    async def is_empty() -> bool:
        try:
            await durable.check()
        except LogUnavailable:
            return False
        return True

    await eventually(is_empty)
