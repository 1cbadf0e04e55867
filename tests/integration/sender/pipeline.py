"""The sender's stages hand in hand in one process: a real database, a real sandbox, a log that only
remembers, and a clock that is turned by hand. So a test says when each stage has its turn."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from sender_service.context import SenderContext
from sender_service.dispatcher.dispatcher import Dispatcher
from sender_service.dispatcher.tools import DispatcherTools
from sender_service.fast_path.planning import TransactionalFastPath
from sender_service.intake.accept import Intake
from sender_service.models.policy import AppPolicy
from sender_service.ops.routers import OpsApi
from sender_service.pages.page import Page
from sender_service.planner.audience import AudienceReader
from sender_service.providers.base import ProviderContext
from sender_service.providers.registry import PROVIDERS, Opener, open_providers
from sender_service.scenarios.looks import LookReader
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.publishing import BodyMakers
from sender_service.scheduler.scheduler import Scheduler
from sender_service.scheduler.tools import SchedulerTools
from sender_service.store.progress import ProjectorProgress
from shared.apps import AppRegistry
from shared.health import Health
from shared.kafka.records import Record
from shared.kafka.topics import DELIVERIES_TOPIC, MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.loops import Wakeup
from shared.models.delivery import Delivery
from shared.models.job import Job
from shared.secrets import Vault
from shared.settings import OneSignalSettings
from shared.stage.runner import Item
from tests.integration.sender.pipeline_parts import OneByOne, UnlimitedGovernor
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world
from tests.support.builders import variant
from tests.support.looks import build_entries, build_looks
from tests.support.memory_log import MemoryLog
from tests.support.providers import build_counts
from tests.support.sandbox import KEY, SandboxApp, sandbox_at
from tests.support.stack import settings_for

JOBS = (TRANSACTIONAL_JOBS_TOPIC.name, MARKETING_JOBS_TOPIC.name)
NOWHERE = Record("t", 0, 0, b"", b"", "", 0)
OFFER: dict[str, Any] = {
    "name": "Welcome",
    "variants": [variant(contents={"en": "For {{ name }}"})],
}
OUT = 12  # of marketing's calls may be out at once
ROUNDS, PLANS = 50, 200
IDLE = {"display": 0, "click": 0, "close": 0}


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


@dataclass
class Pipeline:
    world: SenderHarness
    remote: SandboxApp
    http: httpx.AsyncClient
    log: MemoryLog
    scheduler: Scheduler
    dispatcher: Dispatcher
    apps: AppRegistry
    looks: LookReader
    planning: dict[str, Any]  # further tools of the planner
    context: SenderContext
    intake: Intake

    async def ops(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def people(self, count: int, **fields: Any) -> list[str]:
        """Add people, each with a browser that OneSignal knows; return their players."""
        players = [str(uuid.uuid4()) for _ in range(count)]
        first = await self.world.database["profiles"].count_documents({})
        for n, player in enumerate(players, first):
            await self.world.person(f"p{n}", [player], **fields)
        await self.remote.browsers(None, ids=players, odds=IDLE)
        return players

    async def send_trigger(self, **fields: Any) -> str:
        """Post a trigger; return the send's id. Without audience or recipients it names all people."""
        if not fields.keys() & {"audience", "recipients"}:
            known = [p async for p in self.world.database["profiles"].find({})]
            fields["recipients"] = [
                {"login": p["login"], "variables": {"name": p["login"]}} for p in known
            ]
        send = str(uuid.uuid4())
        body = {"id": send, "app": APP, "campaign": "welcome", **fields}
        await self.ops("POST", "/v1/sends", json=body)
        return send

    async def plan(self) -> None:
        for _ in range(PLANS):
            tools = {"looks": self.looks, **self.planning}
            planner = self.world.planner(policy=self._policy_of, **tools)
            if not await planner.plan_one():
                return
        raise AssertionError("the same is planned again and again")

    def _policy_of(self, app: str) -> AppPolicy:
        return AppPolicy.of(self.apps.get(app))

    async def planned(self, **fields: Any) -> str:
        send = await self.send_trigger(**fields)
        await self.plan()
        return send

    async def release(self) -> int:
        return await self.scheduler.release_due()

    async def call(self) -> int:
        """OneSignal is called for all that is released, one after another."""
        jobs = [Job.parse(value) for value in self.log.take(*JOBS)]
        for job in jobs:
            assert await self.dispatcher._handle([Item(NOWHERE, job)]) == []
            self.world.clock.advance(0.01)
        return len(jobs)

    async def account(self) -> None:
        deliveries = [Delivery.parse(value) for value in self.log.take(DELIVERIES_TOPIC.name)]
        if deliveries:
            await self.world.reported(*deliveries)

    async def work(self) -> int:
        """Work until nothing more is released now; return the number of calls."""
        calls = 0
        for _ in range(ROUNDS):
            if not await self.release() and not self.log.records:
                return calls
            calls += await self.call()
            await self.account()
        raise AssertionError(f"the same is released again and again: {calls} calls")

    async def account_of(self, send: str) -> Any:
        return await self.ops("GET", f"/v1/sends/{send}")

    async def pages(self, send: str) -> list[Page]:
        return [page async for page in self.world.pages.of_send(send)]

    async def reached(self) -> list[str]:
        """Return the players that got a push, once for each."""
        pushes = (await self.remote.final_tally())["pushes"]
        return sorted(p["player_id"] for p in pushes for _ in range(p["deliveries"]))


@asynccontextmanager
async def open_line(
    mongo_uri: str,
    folder: Path,
    *,
    api: str = "",
    registry: Mapping[str, Opener] = PROVIDERS,
    **plan: Any,
) -> AsyncIterator[Pipeline]:
    """Yield the stages with an app, its campaign and no people. `api`: path prefix of OneSignal's API."""
    settings = settings_for("127.0.0.1:1", mongo_uri, folder)
    plan = {"page_members": 10, "release_ahead_seconds": 0.1, **plan}
    async with AsyncExitStack() as stack:
        remote = await stack.enter_async_context(sandbox_at(folder / "sandbox"))
        world = await stack.enter_async_context(open_world(settings, **plan))
        settings.onesignal = OneSignalSettings(base_url=remote.address + api)
        vault, clock, log = Vault(settings.secret_key.get_secret_value()), world.clock, MemoryLog()
        needed = ProviderContext(settings, vault, world.people)
        providers = await stack.enter_async_context(open_providers(needed, registry))
        apps = AppRegistry(world.database, vault)
        budget = MessageBudget(
            store=world.stores.budgets,
            counts=build_counts(world.people, apps, providers, clock.monotonic),
            settings=settings.governor,
            clock=clock,
        )
        looks = build_looks(world.stores, apps, clock)
        tools = SchedulerTools(
            apps, world.sends, world.pages, world.people, world.contacts, budget, cast(Any, log),
            BodyMakers(providers, world.tagger), world.plan, clock, clock.monotonic, looks,
        )  # fmt: skip
        intake = Intake(
            apps=apps,
            stores=world.stores,
            clock=clock,
            retention=timedelta(days=world.plan.retention_days),
            fast_path=TransactionalFastPath(
                tools, AudienceReader(world.stores.people, world.stores.parts)
            ),
            notify=lambda: None,
        )
        calls = DispatcherTools(
            apps,
            world.stores.apps,
            cast(Any, UnlimitedGovernor()),
            providers,
            cast(Any, OneByOne(log)),
            clock,
        )
        context = SenderContext(
            name="pipeline", settings=settings, database=world.database, stores=world.stores,
            progress=ProjectorProgress(world.database, clock.monotonic),
            writer=cast(Any, log), providers=providers, vault=vault, apps=apps,
            health=Health(clock, clock.monotonic), clock=clock, monotonic=clock.monotonic,
            planner_wakeup=Wakeup(), scheduler_wakeup=Wakeup(),
        )  # fmt: skip
        ops = OpsApi.of(context, intake, budget)
        http = await stack.enter_async_context(_client(ops))
        parts = (Scheduler(tools), Dispatcher(calls), apps, looks)
        planning = {"entries": build_entries(world.stores, looks)}
        line = Pipeline(world, remote, http, log, *parts, planning, context, intake)
        await remote.put_app(plan="free")
        one_signal = {"appId": remote.app_id, "restApiKey": KEY, "plan": "free"}
        await line.ops("PUT", f"/v1/apps/{APP}", json={"name": "Demo", "oneSignal": one_signal})
        await line.ops("PUT", f"/v1/apps/{APP}/campaigns/welcome", json=OFFER)
        yield line


def _client(ops: OpsApi) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(ops.api(), client=("127.0.0.1", 1))
    headers = {"authorization": "Bearer ops_demo"}
    return httpx.AsyncClient(transport=transport, base_url="http://ops", headers=headers)
