"""The stage on `carillon.triggers`: a trigger becomes a document, then its offset is committed."""

from __future__ import annotations

from collections.abc import Sequence

from sender_service.intake.accept import Intake
from sender_service.intake.said import Said, to_said
from shared.dead_letters import Poison
from shared.kafka import Record
from shared.stage import Item, StageSpec
from shared.topics import INTAKE, TRIGGERS


def decode(record: Record) -> Said:
    return to_said(record.value)


def intake_stage(intake: Intake) -> StageSpec[Said]:
    async def handle(items: Sequence[Item[Said]]) -> list[Poison]:
        verdicts = await intake.accept([item.value for item in items])
        return [
            Poison(item.record, verdict)
            for item, verdict in zip(items, verdicts, strict=True)
            if verdict is not None
        ]

    return StageSpec("intake", INTAKE, (TRIGGERS.name,), decode, handle)
