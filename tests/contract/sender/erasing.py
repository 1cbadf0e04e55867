"""Erasure of a person by the API, then by the stage that reads its events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sender_service.privacy.stage import Erasure, decode
from sender_service.store.erasure import ErasureStore
from sender_service.store.pages import PageStore
from shared.kafka.records import Record
from shared.stage.runner import Item
from tests.support.ops_client import PERSON, Ops


async def no_sleep(_: float) -> None:
    """Time does not pass here."""


def as_record(ops: Ops, index: int = 0) -> Record:
    out = ops.log.records[index]
    key = out.key.encode() if isinstance(out.key, str) else out.key
    return Record(out.topic, 0, index, key, out.value, out.type, 0)


async def erase(ops: Ops, sleep: Callable[[float], Awaitable[None]] = no_sleep) -> None:
    """Erase the person by the API, then by the stage that reads its events."""
    ops.log.records.clear()
    assert (await ops.call("POST", f"/v1/people/{PERSON}/erase")).status_code == 202
    stage = Erasure(ErasureStore(ops.database), PageStore(ops.database), ops.context.vault, ops.clock,
                    timedelta(seconds=90), sleep)  # fmt: skip
    items = []
    for index in range(len(ops.log.records)):
        record = as_record(ops, index)
        event = decode(record)
        assert event is not None
        items.append(Item(record, event))
    await stage.handle(items)
