"""Few objects that hold much are given back soon, however seldom the collector looks."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.garbage import calm_garbage_collector, collect_garbage
from tests.stack import eventually


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
