"""Tests that a silent database is reported as silent, and a busy one isn't."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from sender_service.ops.mongo_watchdog import MongoWatchdog
from shared.errors import StoreUnavailable
from shared.http.responses import json_response

Ask = Callable[[], Awaitable[object]]


async def answer_of(work: Callable[[], Awaitable[object]], ask: Ask) -> tuple[int, float]:
    """Return the status of a request that does `work` under the watch, and after how long."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await work()
        await json_response({})(scope, receive, send)

    transport = httpx.ASGITransport(MongoWatchdog(app, ask=ask))
    began = time.monotonic()
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as http:
        answer = await http.get("/v1/apps")
    return answer.status_code, time.monotonic() - began


async def never() -> Any:
    await asyncio.Event().wait()


async def at_once() -> None:
    return None


async def gone() -> None:
    raise StoreUnavailable("gone")


async def test_silence_is_reported_within_a_second() -> None:
    for ask in (never, gone):
        status, took = await answer_of(never, ask)
        assert status == 503 and took < 0.95


async def test_request_takes_its_time_while_there_are_answers() -> None:
    assert (await answer_of(lambda: asyncio.sleep(1.5), at_once))[0] == 200


async def test_a_busy_database_is_not_silent_for_callers_it_answered_so_far() -> None:
    # It answers at once for a second, then is busy for as long with a part of the list.
    began = time.monotonic()

    async def ask() -> None:
        if 1.2 < time.monotonic() - began < 2.0:
            await asyncio.sleep(0.8)

    assert (await answer_of(lambda: asyncio.sleep(2.5), ask))[0] == 200


def block_loop(seconds: float) -> None:
    time.sleep(seconds)


async def test_own_blocked_loop_is_no_silence() -> None:
    # A page that is rendered, a million names that are read: nobody hears an answer meanwhile.

    async def ask() -> None:
        await asyncio.sleep(0.05)

    async def work() -> None:
        for _ in range(4):
            await asyncio.sleep(0.28)
            block_loop(0.6)

    assert (await answer_of(work, ask))[0] == 200
