"""Dead letters: the stage that keeps them where they can be looked at, and the look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from sender_service.store.letters import LetterStore
from shared.dead_letters import Poison
from shared.kafka import Record
from shared.models.dead_letter import DeadLetter
from shared.stage import Item, StageSpec
from shared.topics import DEAD_LETTERS, UNDERTAKER


def _decode(record: Record) -> DeadLetter:
    return DeadLetter.parse(record.value)


def letters_stage(store: LetterStore) -> StageSpec[DeadLetter]:
    async def handle(items: Sequence[Item[DeadLetter]]) -> list[Poison]:
        await store.put([item.value for item in items])
        return []

    return StageSpec("dead-letters", UNDERTAKER, (DEAD_LETTERS.name,), _decode, handle)


def letters_router(store: LetterStore) -> APIRouter:
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.get("")
    async def newest(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> dict[str, Any]:
        """The newest first: where each came from, and why it was set aside."""
        found = await store.newest(limit)
        return {"items": [{"id": d.pop("_id"), **d} for d in found]}

    return router
