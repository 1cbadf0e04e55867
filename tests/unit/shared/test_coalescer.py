"""Coalescing: one store for all that waits, in order, not too often, and an answer for everyone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.coalescer import Coalescer, Pending, refuse
from shared.errors import LogUnavailable
from tests.support.virtual_time import VirtualLoop, in_virtual_time


class SlowStore:
    """A store that takes a second; it refuses negative numbers, and raises what it is given."""

    def __init__(self, loop: VirtualLoop, interval_seconds: float = 0.0) -> None:
        self._loop = loop
        self.stored: list[tuple[float, list[int]]] = []
        self.error: BaseException | None = None
        self.coalescer = Coalescer(self._store, interval_seconds)

    async def _store(self, pending: Sequence[Pending[int]]) -> None:
        self.stored.append((self._loop.time(), [one.item for one in pending]))
        await asyncio.sleep(1.0)
        if self.error is not None:
            raise self.error
        refuse([one for one in pending if one.item < 0], LogUnavailable("too small"))

    def add(self, *items: int) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.coalescer.add(item)) for item in items]


def test_what_comes_meanwhile_is_stored_next_together_and_in_order() -> None:
    async def test(loop: VirtualLoop) -> list[tuple[float, list[int]]]:
        store = SlowStore(loop)
        first = store.add(1)
        await asyncio.sleep(0.25)
        later = store.add(2, 3, 4)
        await asyncio.gather(*first)
        assert loop.time() == pytest.approx(1.0) and not any(one.done() for one in later)
        await asyncio.gather(*later)
        return store.stored

    assert in_virtual_time(test) == [(0.0, [1]), (1.0, [2, 3, 4])]


@pytest.mark.parametrize(("interval", "second"), [(0.0, 3.5), (5.0, 5.0)])
def test_between_two_stores_the_interval_passes(interval: float, second: float) -> None:
    async def test(loop: VirtualLoop) -> list[float]:
        store = SlowStore(loop, interval)
        await asyncio.sleep(interval)  # a single item doesn't wait
        begun = loop.time()
        await store.coalescer.add(1)
        await asyncio.sleep(2.5)
        await store.coalescer.add(2)
        return [at - begun for at, _ in store.stored]

    assert in_virtual_time(test) == pytest.approx([0.0, second])


def test_who_holds_the_lock_is_waited_for_and_what_comes_meanwhile_joins() -> None:
    async def test(loop: VirtualLoop) -> list[tuple[float, list[int]]]:
        store = SlowStore(loop)
        async with store.coalescer.lock:
            adding = store.add(1)
            await asyncio.sleep(2.0)
            adding += store.add(2)
        await asyncio.gather(*adding)
        return store.stored

    assert in_virtual_time(test) == [(2.0, [1, 2])]


def test_store_refuses_some_or_all() -> None:
    async def test(loop: VirtualLoop) -> tuple[list[str], list[str]]:
        store = SlowStore(loop)
        some = await asyncio.gather(*store.add(1, -1, 2), return_exceptions=True)
        store.error = LogUnavailable("away")
        every = await asyncio.gather(*store.add(1, 2), return_exceptions=True)
        return [str(one) for one in some], [str(one) for one in every]

    assert in_virtual_time(test) == (["None", "too small", "None"], ["away", "away"])


def test_interruption_is_raised_and_the_next_item_is_stored() -> None:
    async def test(loop: VirtualLoop) -> list[int]:
        store = SlowStore(loop)
        store.error = asyncio.CancelledError()
        with pytest.raises(LogUnavailable, match="interrupted"):
            await store.coalescer.add(1)
        store.error = None
        await store.coalescer.add(2)
        return store.stored[-1][1]

    assert in_virtual_time(test) == [2]


def test_caller_that_gave_up_costs_the_others_nothing_and_finish_waits() -> None:
    async def test(loop: VirtualLoop) -> tuple[float, bool]:
        store = SlowStore(loop)
        gone, waiting = store.add(1, 2)
        await asyncio.sleep(0.5)
        gone.cancel()
        await store.coalescer.finish()
        await waiting
        return loop.time(), gone.cancelled()

    ended, is_cancelled = in_virtual_time(test)
    assert ended == pytest.approx(1.0) and is_cancelled
