"""Records that will never do, one or two in every topic; each must end as one dead letter."""

from __future__ import annotations

import asyncio
import base64
from random import Random
from typing import Any

from shared.errors import LogUnavailable
from shared.events.registry import ONESIGNAL_WEBHOOK
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import (
    DEAD_LETTERS_TOPIC,
    DELIVERIES_TOPIC,
    EVENTS_TOPIC,
    MARKETING_JOBS_TOPIC,
    TRANSACTIONAL_JOBS_TOPIC,
    TRIGGERS_TOPIC,
)
from tests.faults.fault_cluster import FaultCluster

MARK = b"poison-of-the-faults"
TYPES = {
    EVENTS_TOPIC.name: ONESIGNAL_WEBHOOK,
    TRIGGERS_TOPIC.name: "trigger",
    TRANSACTIONAL_JOBS_TOPIC.name: "job",
    MARKETING_JOBS_TOPIC.name: "job",
    DELIVERIES_TOPIC.name: "delivery",
    DEAD_LETTERS_TOPIC.name: "deadLetter",
}


async def plant(writer: LogWriter, seed: int) -> int:
    """Publish poison; return how many.

    Each is published until it is acknowledged, which may store it twice.
    """
    dice = Random(seed)
    records = []
    for topic, kind in TYPES.items():
        shapes = (b'{"broken": "' + MARK, b'{"mark": "' + MARK + b'"}', b"\xff\xfe" + MARK)
        records.append(OutgoingRecord(topic, f"k{dice.random()}", dice.choice(shapes), kind))
    for record in records:
        await _publish(writer, record)
    return len(records)


async def _publish(writer: LogWriter, record: OutgoingRecord) -> None:
    while True:
        try:
            return await writer.publish([record])
        except LogUnavailable:
            await asyncio.sleep(0.2)


async def dead_letters(world: FaultCluster) -> list[dict[str, Any]]:
    """Return all dead letters as they are stored."""
    async with world.mongo() as database:
        return [dead_letter async for dead_letter in database["dead_letters"].find({})]


def is_planted(dead_letter: dict[str, Any]) -> bool:
    return MARK in base64.b64decode(dead_letter["value"])
