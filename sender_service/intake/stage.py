"""The stage on `carillon.triggers`: stores a send for each trigger, then commits its offset."""

from __future__ import annotations

from collections.abc import Sequence

from sender_service.intake.accept import Intake
from sender_service.intake.request import TriggerRequest, parse_request
from shared.kafka.records import Record
from shared.kafka.topics import INTAKE_GROUP, TRIGGERS_TOPIC
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec


def decode(record: Record) -> TriggerRequest:
    return parse_request(record.value)


def intake_stage(intake: Intake) -> StageSpec[TriggerRequest]:
    async def handle(items: Sequence[Item[TriggerRequest]]) -> list[Poison]:
        rejections = await intake.accept([item.value for item in items])
        return [
            Poison(item.record, rejection)
            for item, rejection in zip(items, rejections, strict=True)
            if rejection is not None
        ]

    return StageSpec("intake", INTAKE_GROUP, (TRIGGERS_TOPIC.name,), decode, handle)
