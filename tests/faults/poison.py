"""Records that will never do, one or two in every topic; each must end as one dead letter."""

from __future__ import annotations

import asyncio
import base64
from random import Random
from typing import Any

from shared.errors import LogUnavailable
from shared.kafka import LogWriter, Outgoing
from shared.models.event import ONESIGNAL_WEBHOOK
from shared.topics import (
    DEAD_LETTERS,
    DELIVERIES,
    EVENTS,
    JOBS_MARKETING,
    JOBS_TRANSACTIONAL,
    TRIGGERS,
)
from tests.faults.world import World

MARK = b"poison-of-the-faults"
TYPES = {
    EVENTS.name: ONESIGNAL_WEBHOOK,
    TRIGGERS.name: "trigger",
    JOBS_TRANSACTIONAL.name: "job",
    JOBS_MARKETING.name: "job",
    DELIVERIES.name: "delivery",
    DEAD_LETTERS.name: "deadLetter",
}


async def plant(writer: LogWriter, seed: int) -> int:
    """How many; each is published until it is acknowledged, which may store it twice."""
    dice = Random(seed)
    records = []
    for topic, kind in TYPES.items():
        shapes = (b'{"broken": "' + MARK, b'{"mark": "' + MARK + b'"}', b"\xff\xfe" + MARK)
        records.append(Outgoing(topic, f"k{dice.random()}", dice.choice(shapes), kind))
    for record in records:
        await _publish(writer, record)
    return len(records)


async def _publish(writer: LogWriter, record: Outgoing) -> None:
    while True:
        try:
            return await writer.publish([record])
        except LogUnavailable:
            await asyncio.sleep(0.2)


async def letters(world: World) -> list[dict[str, Any]]:
    """All dead letters as they are stored."""
    async with world.mongo() as database:
        return [letter async for letter in database["dead_letters"].find({})]


def is_planted(letter: dict[str, Any]) -> bool:
    return MARK in base64.b64decode(letter["value"])
