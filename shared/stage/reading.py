"""Joining a stage's group, and the age of what it has to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from shared.clock import Clock, monotonic
from shared.errors import LogUnavailable
from shared.kafka.fetch_repeats import Rest
from shared.kafka.reader import LogReader
from shared.kafka.records import Record
from shared.stage.spec import StageContext, StageSpec

UNANSWERED_SECONDS = 10.0


def create_rest(context: StageContext, spec: StageSpec[Any]) -> Rest | None:
    """Return a rest between fetches until its own process publishes; None where the stage takes none."""
    if not spec.can_rest or not context.kafka.rest_ms:
        return None
    return Rest(context.writer.readers.listen(spec.topics), context.kafka.rest_ms / 1000)


async def until_stopped(work: Awaitable[list[Record]], stop: asyncio.Event) -> list[Record]:
    """Return the work's records; none once stopped."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else []
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def read_ages(
    reader: LogReader, topic: str, unfinished: Mapping[int, int], clock: Clock
) -> dict[int, int] | None:
    """Return by partition how many milliseconds old the oldest unfinished record is.

    0 only after a fetch that met the end. A partition is absent whose records are all unread: their age
    is unknown. None where no fetch was answered for UNANSWERED_SECONDS. `unfinished` has when the first
    record was published that was read and isn't done.
    """
    if monotonic() - reader.last_answer > UNANSWERED_SECONDS:
        return None
    now, behind = clock().timestamp() * 1000, {}
    for partition, (at_end, last) in (await reader.read_up_to(topic)).items():
        since = unfinished.get(partition, None if at_end else last)
        if since is not None:
            behind[partition] = max(1, int(now - since))
        elif at_end:
            behind[partition] = 0
    return behind


async def join(reader: LogReader, stop: asyncio.Event, seconds: float) -> None:
    """Join the group; return as a member with partitions, or when stopped.

    Raises LogUnavailable, also where the group doesn't end its rebalance within `seconds`: then another
    member tries.
    """
    joining = asyncio.create_task(reader.start())
    stopping = asyncio.create_task(stop.wait())
    tasks = {joining, stopping}
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if not task.done():
            task.cancel()
    outcome, _ = await asyncio.gather(joining, stopping, return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError) and not stop.is_set():
        raise LogUnavailable(f"Kafka: no partitions within {seconds:g} s")
    if isinstance(outcome, Exception):
        raise outcome
