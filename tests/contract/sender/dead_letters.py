"""Dead letters in the store of the ops API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sender_service.store.dead_letters import DeadLetterStore
from shared.models.dead_letter import DeadLetter
from tests.support.ops_client import Ops


async def save_dead_letter(
    ops: Ops, value: bytes = b'{"a":1}', ago: float = 60, **more: Any
) -> DeadLetter:
    dead_letter = DeadLetter(
        **{
            "id": str(uuid.uuid4()), "stage": "intake", "topic": "carillon.triggers",
            "partition": 0, "offset": 7, "type": "trigger", "key": DeadLetter.pack(b"\xffk"),
            "value": DeadLetter.pack(value), "code": "unknown_app", "message": "no such app",
            "at": ops.clock() - timedelta(seconds=ago), **more,
        }
    )  # fmt: skip
    await DeadLetterStore(ops.database).put([dead_letter])
    return dead_letter
