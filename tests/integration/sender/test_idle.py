"""Loops that look seldom: what becomes due before the next look is met when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import monotonic, utc_now
from shared.health import Component, Health
from shared.loops import Wakeup
from shared.settings import Settings
from tests.integration.sender.two_replicas import TwoReplicas, open_pair
from tests.support.stack import eventually

SELDOM_SECONDS = 30.0
Loop = Callable[[asyncio.Event, Wakeup, Component], Coroutine[Any, Any, None]]


@pytest.fixture
async def idle(settings: Settings) -> AsyncIterator[TwoReplicas]:
    async with open_pair(settings, "motor", poll_seconds=SELDOM_SECONDS) as pair:
        await pair.start_again()
        yield pair


async def until(loop: Loop, condition: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run a loop that nobody calls, until the condition holds; that is long before its next look."""
    component = Health(utc_now, monotonic).component("loop", deadline_seconds=60)
    stop, call = asyncio.Event(), Wakeup()
    running = asyncio.create_task(loop(stop, call, component))
    try:
        await eventually(condition, SELDOM_SECONDS / 2)
    finally:
        stop.set()
        call.notify()
        await running


async def test_d8_a_planner_meets_what_is_due_before_its_next_look(idle: TwoReplicas) -> None:
    await idle.people(1)
    at = utc_now() + timedelta(seconds=2)
    send = await idle.trigger(sendAt=at.isoformat())

    async def is_planned() -> bool:
        found = await idle.one.context.stores.sends.get(send)
        return found is not None and found.state == "sending"

    await until(idle.one.planners()[1].run, is_planned)
    assert utc_now() >= at


async def test_d8_a_scheduler_meets_what_is_due_before_its_next_look(idle: TwoReplicas) -> None:
    await idle.people(1)
    send = await idle.planned()
    (page,) = await idle.pages(send)
    at = utc_now() + timedelta(seconds=2)
    await idle.one.context.stores.pages.postpone([page["_id"]], at)

    async def is_released() -> bool:
        (found,) = await idle.pages(send)
        return bool(found["chunks"]["0"]["state"] == "released")

    await until(idle.one.scheduler().run, is_released)
    assert utc_now() >= at
