"""Tests with real processes of ingest: when a sender calls what it knows of people old."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest_service.durable.circuit_breaker import PAUSE_FILE
from ingest_service.replay.lease import ReplayLeases
from sender_service.scenarios import knowledge
from sender_service.scenarios.knowledge import Knowledge
from sender_service.store.heartbeats import Heartbeats
from shared.clock import OFFSET_FILE, monotonic, utc_now
from shared.errors import StoreUnavailable
from shared.health import Health
from shared.kafka.topics import EVENTS_TOPIC
from shared.mongo.client import Database
from shared.mongo.collections import PROCESSES
from shared.settings import Settings
from tests.integration.sender.knowledge_harness import KnowledgeHarness, one_step
from tests.support import stack
from tests.support.clocks import ManualClock
from tests.support.ingest_process import EVENTS, client_of, seeded
from tests.support.stack import Server, eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
CAUGHT_UP = {str(n): 0 for n in range(EVENTS_TOPIC.partitions)}
PAGE = {"type": "pageview", "visitorId": "v"}
LATER = timedelta(seconds=121)
SLOW = 60.0  # two cores run other tests beside
HURRY = 3  # the sender's clock goes as many times faster, so that a silence is soon one


@dataclass
class IngestProcesses:
    """An API, a projector of its own process, and a sender's knowledge of them."""

    database: Database
    api: Server
    projector: Server
    http: httpx.AsyncClient
    knowledge: Knowledge
    hold: Path  # while this file is there, ingest publishes nothing
    projector_clock: Path

    async def until(
        self, why: str | None, seconds: float = SLOW, *, ahead: timedelta = timedelta()
    ) -> None:
        """Wait until it is old, or isn't, for a clock that is ahead by so much."""

        async def is_so() -> bool:
            return await self.knowledge.why_old(utc_now() + ahead) == why

        await eventually(is_so, seconds)

    async def publish(self) -> None:
        assert (await self.http.post(EVENTS, json=PAGE)).status_code == 202

    async def document(self, service_role: str) -> dict[str, Any]:
        found = await self.database[PROCESSES.name].find_one({"roles": service_role})
        return dict(found or {})


@pytest.fixture
async def ingest(
    fresh_broker: Server, mongo_uri: str, tmp_path: Path
) -> AsyncIterator[IngestProcesses]:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(seeded(settings))
        api = opened.enter_context(stack.service("ingest_service", settings, "--only", "api"))
        clock = tmp_path / "clock"
        projector = opened.enter_context(_projector(settings, clock))
        http = await opened.enter_async_context(client_of(api))
        followed = Knowledge(Heartbeats(database, _hurried), utc_now, _hurried)
        await opened.enter_async_context(_following(followed))
        hold = settings.data_dir / PAUSE_FILE
        ingest = IngestProcesses(database, api, projector, http, followed, hold, clock)
        await ingest.until(None)
        yield ingest


def _projector(settings: Settings, clock: Path) -> Server:
    port = stack.free_port()
    command = [sys.executable, "-m", "ingest_service", "--only", "projector", "--port", str(port)]
    return Server(command, port, stack.environment(settings) | {OFFSET_FILE: str(clock)})


def _hurried() -> float:
    return monotonic() * HURRY


@asynccontextmanager
async def _following(followed: Knowledge) -> AsyncIterator[None]:
    async def follow() -> None:
        while True:
            with suppress(StoreUnavailable):
                await followed.look()
            await asyncio.sleep(knowledge.HEARTBEATS_SECONDS / HURRY)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_projector_that_is_suspended_behind_or_stopped(ingest: IngestProcesses) -> None:
    ingest.projector.freeze()
    await ingest.until(knowledge.PROJECTOR_SILENT)
    ingest.projector.thaw()
    await ingest.until(None)
    # Its batches wait for a replay, and by its clock the event is two minutes old at once.
    ingest.projector_clock.write_text(str(LATER.total_seconds()))
    replay = await ReplayLeases(ingest.database, monotonic).acquire()
    assert replay is not None
    async with replay.kept():
        await replay.pause_projectors(0)
        await ingest.publish()
        await ingest.until(knowledge.PROJECTOR_BEHIND)
        assert await replay.release()
    await ingest.until(None)
    assert await asyncio.to_thread(ingest.projector.stop) == 0
    # Sooner than without a beat: it said so.
    await ingest.until(knowledge.PROJECTOR_SILENT, 14 / HURRY)
    await asyncio.to_thread(ingest.projector.start)
    await ingest.until(None)
    await asyncio.to_thread(ingest.projector.kill)
    await ingest.until(knowledge.PROJECTOR_SILENT)


async def test_events_that_wait_on_the_disk_of_an_api(ingest: IngestProcesses) -> None:
    before = await ingest.document("api")
    ingest.hold.parent.mkdir(parents=True, exist_ok=True)
    ingest.hold.touch()
    await eventually(partial(_spools, ingest), SLOW)
    await ingest.until(knowledge.SPOOL_WAITS, ahead=LATER)
    await ingest.until(None)
    await asyncio.to_thread(ingest.api.kill)
    await ingest.until(knowledge.SPOOL_SILENT)
    await asyncio.to_thread(ingest.api.start)
    await ingest.until(knowledge.SPOOL_WAITS, ahead=LATER)
    # A clean stop leaves its document while events wait.
    assert await asyncio.to_thread(ingest.api.stop) == 0
    await ingest.until(knowledge.SPOOL_SILENT)
    ingest.hold.unlink()
    await asyncio.to_thread(ingest.api.start)

    await ingest.until(None, ahead=LATER)
    assert (await ingest.document("api"))["_id"] == before["_id"]
    assert await asyncio.to_thread(ingest.api.stop) == 0
    assert await ingest.document("api") == {}
    await ingest.until(None)


async def _spools(ingest: IngestProcesses) -> bool:
    """Report an event; return whether one is on the disk."""
    await ingest.publish()
    spool = (await ingest.document("api"))["spool"]
    return bool(spool["records"]) and spool["oldestAt"] is not None


async def test_a_broker_that_does_not_answer(ingest: IngestProcesses, fresh_broker: Server) -> None:
    """Beats go on, for the projector's process lives, and state no partition."""
    fresh_broker.freeze()
    try:

        async def is_unknown() -> dict[str, Any] | None:
            found = await ingest.document("projector")
            return found if found["partitions"] == {} else None

        silent = await eventually(is_unknown, 30)
        await ingest.until(knowledge.PROJECTOR_SILENT)

        async def has_moved() -> bool:
            return bool((await ingest.document("projector"))["beat"] > silent["beat"])

        await eventually(has_moved, 10)
    finally:
        fresh_broker.thaw()
    await ingest.until(None)

    async def is_caught_up() -> bool:
        return bool((await ingest.document("projector"))["partitions"] == CAUGHT_UP)

    await eventually(is_caught_up, SLOW)


async def test_the_disk_of_a_killed_api_is_waited_for_ten_minutes_and_passed_over(
    settings: Settings,
) -> None:
    """Kill a real process; the sender's time is a test's."""
    hold = settings.data_dir / PAUSE_FILE
    hold.parent.mkdir(parents=True)
    hold.touch()
    server = stack.service("ingest_service", settings, "--only", "api")
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(seeded(settings))
        api = opened.enter_context(server)
        http = await opened.enter_async_context(client_of(api))
        sender = KnowledgeHarness(database, ManualClock(utc_now()))
        component = Health(sender.clock, sender.clock.monotonic).component("k", deadline_seconds=60)

        async def is_known(*, has_events: bool) -> bool:
            process = await database[PROCESSES.name].find_one({"roles": "api"}) or {}
            await sender.pass_seconds(2)
            is_so = "spool" in process and bool(process["spool"]["records"]) == has_events
            return is_so and await sender.why() is None

        async def is_taken() -> bool:
            return (await http.post(EVENTS, json=PAGE)).status_code == 202

        await eventually(is_taken, SLOW)
        await eventually(partial(is_known, has_events=True), SLOW)
        await asyncio.to_thread(api.kill)
        after, why = await sender.first_why(30) or (0, "")
        assert after <= 18 and why == knowledge.SPOOL_SILENT
        for seconds, expected in ((570, knowledge.SPOOL_SILENT), (30, None)):
            await sender.pass_seconds(seconds, every=5)
            assert await sender.why() == expected
        await one_step(sender, component)
        assert (component.error or "").startswith(knowledge.SPOOL_ABANDONED)
        hold.unlink()
        await asyncio.to_thread(api.start)  # on the same folder: it takes its document over
        await eventually(partial(is_known, has_events=False), SLOW)
        await one_step(sender, component)
        assert component.error is None
