"""How a stage joins its group, and how far it has read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from shared.clock import Clock, monotonic
from shared.errors import LogUnavailable
from shared.kafka_reader import LogReader
from shared.stage_spec import StageContext

UNANSWERED_SECONDS = 10.0
LOOK_SECONDS = 0.5  # for a stop
BUSY_SECONDS = 2.0  # after a call: more may come


class Rest:
    """Lets a stage fetch nothing for a while, until its own process has published for it."""

    def __init__(self, context: StageContext, topics: Iterable[str]) -> None:
        self._seconds = context.kafka.rest_ms / 1000
        self._one_fetch_ms = context.kafka.fetch_max_wait_ms + 20
        self._call = context.writer.readers.listen(topics) if self._seconds else None
        self._busy_until = 0.0

    async def take(self, reader: LogReader, wait_ms: int, stop: asyncio.Event) -> int:
        """Rest, if it is time; return how long to wait for records after that."""
        if self._call is None or monotonic() < self._busy_until or not reader.is_reading:
            return wait_ms
        left = self._seconds
        while left > 0 and not stop.is_set():
            if await reader.rest(self._call, min(left, LOOK_SECONDS)):
                self._busy_until = monotonic() + BUSY_SECONDS
                return wait_ms
            left -= LOOK_SECONDS
        return self._one_fetch_ms


async def read_ages(
    reader: LogReader, topic: str, unfinished: Mapping[int, int], clock: Clock
) -> dict[int, int] | None:
    """Return by partition how many milliseconds old the oldest record is that isn't done.

    0 only after a fetch that met the end. Absent is a partition that has records of which none was
    read yet: nobody knows. None where no fetch was answered for long. `unfinished`: when the first
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
    """Returns as a member with partitions, or when nobody wants one any more. Raises LogUnavailable
    also where the group doesn't come to an end with sharing out: then another member tries."""
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
