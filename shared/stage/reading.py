"""Joining a stage's group, and the age of what it has to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from shared.clock import Clock
from shared.errors import LogUnavailable
from shared.kafka.fetch_repeats import Rest
from shared.kafka.read_progress import ReadUpTo
from shared.kafka.reader import LogReader
from shared.kafka.records import Record
from shared.stage.spec import StageContext, StageSpec

RECENT_SECONDS = 1.0  # a fetch is answered after 0.4 s where nothing comes
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
) -> dict[int, int]:
    """Return by partition how many milliseconds old the oldest unfinished record may be.

    A partition is absent where that is unknown. `unfinished` has when the first record was published
    that was read and isn't done, in Unix milliseconds.
    """
    places = await reader.progress.read_up_to(topic)
    now = clock().timestamp() * 1000
    ages = {
        partition: age_of(place, unfinished.get(partition), now)
        for partition, place in places.items()
    }
    return {partition: age for partition, age in ages.items() if age is not None}


def age_of(place: ReadUpTo, unfinished: int | None, now_ms: float) -> int | None:
    """Return the age of the oldest record that isn't done, in milliseconds; None where it is unknown.

    0 only after a fetch that met the end. A fetch that met it long ago proves nothing.
    """
    if unfinished is not None:
        return max(1, int(now_ms - unfinished))
    if place.is_at_end:
        if place.fetch_age > UNANSWERED_SECONDS:
            return None
        return 0 if place.fetch_age <= RECENT_SECONDS else int(place.fetch_age * 1000)
    # What isn't read is younger than the last record that was, and than the last look at the end.
    bounds = [] if place.last_ms is None else [now_ms - place.last_ms]
    bounds += [] if place.end_age is None else [place.end_age * 1000]
    return max(1, int(min(bounds))) if bounds else None


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
