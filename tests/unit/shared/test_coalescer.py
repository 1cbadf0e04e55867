"""Group commit, and the wake-up call between loops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.coalescer import Coalescer
from shared.wakeup import Wakeup
from tests.fakes import VirtualLoop, in_virtual_time


class Writes:
    """Writes that end when they are told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, items: Sequence[int]) -> None:
        self.batches.append(list(items))
        await self.go.wait()
        if self.error is not None:
            raise self.error


async def _turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_during_a_write_shares_the_next() -> None:
    writes = Writes()
    coalescer = Coalescer(writes)
    first = asyncio.create_task(coalescer.submit(0))
    await _turns()
    others = [asyncio.create_task(coalescer.submit(n)) for n in range(1, 6)]
    await _turns()
    assert writes.batches == [[0]] and not first.done()
    writes.go.set()
    await asyncio.gather(first, *others)
    assert writes.batches == [[0], [1, 2, 3, 4, 5]]


async def test_everybody_in_a_failed_write_is_told_and_nobody_else() -> None:
    writes = Writes()
    coalescer = Coalescer(writes)
    writes.error = OSError("disk")
    writes.go.set()
    failed = await asyncio.gather(*(coalescer.submit(n) for n in (1, 2)), return_exceptions=True)
    assert [type(e) for e in failed] == [OSError, OSError]
    writes.error = None
    await coalescer.submit(3)
    assert writes.batches[-1] == [3]


async def test_who_goes_away_stops_nobody() -> None:
    writes = Writes()
    coalescer = Coalescer(writes)
    gone, stays = (asyncio.create_task(coalescer.submit(n)) for n in (1, 2))
    await _turns()
    gone.cancel()
    await _turns()
    writes.go.set()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gone


def test_wakeup_is_kept_until_somebody_waits() -> None:
    async def test(loop: VirtualLoop) -> None:
        wakeup = Wakeup()
        wakeup.call()
        await wakeup.wait(10)
        assert loop.time() == 0
        await wakeup.wait(10)  # each call wakes once
        assert loop.time() == 10

    in_virtual_time(test)


def test_wakeup_ends_a_wait() -> None:
    async def test(loop: VirtualLoop) -> None:
        wakeup = Wakeup()
        loop.call_later(3, wakeup.call)
        await wakeup.wait(10)
        assert loop.time() == 3

    in_virtual_time(test)
