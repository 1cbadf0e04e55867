"""Loops that work off tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from sender_service.context import SenderContext
from sender_service.scenarios.backfiller import Backfiller
from sender_service.scenarios.simulator import Simulator
from shared.health import Component


def task_loops(
    context: SenderContext, stop: asyncio.Event
) -> Iterator[tuple[str, Callable[[Component], Coroutine[Any, Any, None]]]]:
    """Yield (name, loop) of each kind."""
    yield "backfiller", partial(Backfiller.of(context).run, stop)
    yield "simulator", partial(Simulator.of(context).run, stop)
