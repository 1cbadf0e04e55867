"""Few objects that hold much are given back soon, however seldom the collector looks."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.gc_tuning import calm_garbage_collector, collect_garbage
from tests.support.stack import eventually


class Buffer:
    """A few megabytes in a cycle, as a client's half-read answer is."""

    def __init__(self) -> None:
        self.content = bytes(4_000_000)
        self.itself = self


@pytest.fixture
def calm() -> Iterator[None]:
    thresholds = gc.get_threshold()
    calm_garbage_collector()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("calm")
async def test_cycle_that_holds_much_is_given_back_in_time() -> None:
    buffer = weakref.ref(Buffer())
    assert buffer() is not None
    stop = asyncio.Event()
    collecting = asyncio.create_task(collect_garbage(stop, seconds=0.01))
    await eventually(lambda: buffer() is None)
    stop.set()
    await collecting


@pytest.mark.usefixtures("calm")
async def test_d8_an_idle_process_collects_seldom_and_a_busy_one_each_time() -> None:
    assert await collections_of(0.0) <= 3
    assert await collections_of(1.0) >= 15


async def collections_of(cpu_a_look: float, looks: int = 20) -> int:
    """Count collections of the oldest generation in so many looks of a process that uses so much CPU."""
    used, looked, stop = 0.0, 0, asyncio.Event()

    def cpu_seconds() -> float:
        nonlocal used, looked
        used, looked = used + cpu_a_look, looked + 1
        if looked >= 2 * looks:
            stop.set()
        return used

    before = gc.get_stats()[2]["collections"]
    await collect_garbage(stop, 0.005, cpu_seconds)
    return int(gc.get_stats()[2]["collections"] - before)
