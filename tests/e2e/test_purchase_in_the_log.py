"""A projector that stands still: scenarios rest, and what waits in the log is known before they go on."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sender_service.providers.onesignal.provider import ONESIGNAL_NAME
from sender_service.scenarios import knowledge
from sender_service.scheduler.message_window import minute_of
from sender_service.store.limits import BudgetStore
from shared.clock import OFFSET_FILE, utc_now
from shared.mongo.client import Database, open_database
from shared.settings import OneSignalSettings, Settings
from tests.support import stack
from tests.support.carillon import campaign
from tests.support.ingest_process import one_signal
from tests.support.sandbox import KEY, SandboxApp, sandbox_at
from tests.support.stack import Server, eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

APP, PUSHES = "demo", "hello"
SLOW = 60.0  # two cores run other tests beside
WAITS = 30  # minutes, of steps that aren't due at once
# `later` and `now` rest on old knowledge: with the default `until`, a purchase ends them.
PEOPLE = {"anna": "later", "bert": "later", "cora": "free", "dana": "now", "emil": "now"}
SCENARIOS = {
    "later": {"after": {"minutes": WAITS}},
    "free": {"after": {"minutes": WAITS}},
    "now": {},
}
BUDGET_FREES = WAITS * 60 + 60.0  # seconds: by then the message limit's window is over, too
PAGES_DUE = BUDGET_FREES + 31  # a page at rest is looked at again after 30 s


@dataclass
class Shop:
    """An app with one person a browser, on services of its own."""

    database: Database
    sandbox: SandboxApp
    projector: Server
    events: httpx.AsyncClient
    ops: httpx.AsyncClient
    clock: Path  # the sender's clock is ahead by so many seconds
    players: dict[str, str]  # person → player

    async def put(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.ops.put(f"/v1/apps/{APP}{path}", json=body)
        assert answer.is_success, answer.text

    async def report(self, *events: dict[str, Any]) -> None:
        async def is_taken() -> bool:
            # Ingest learns of a new app within 5 s.
            return (await self.events.post("/v1/events", json=events)).status_code == 202

        await eventually(is_taken, 20, every=0.2)

    async def runs(self, **query: Any) -> int:
        return int(await self.database["runs"].count_documents({"app": APP, **query}))

    async def pushed(self) -> list[str]:
        """Return who got a push, once for each."""
        players = [push["player_id"] for push in (await self.sandbox.tally())["pushes"]]
        return sorted(
            name for name, player in self.players.items() for _ in range(players.count(player))
        )

    async def until_pushed(self, *people: str) -> None:
        async def is_so() -> bool:
            return await self.pushed() == [*people]

        await eventually(is_so, SLOW)

    async def why_resting(self) -> str | None:
        """Return what the sender's health says of its knowledge."""
        health = (await self.ops.get("/health/ready")).json()
        [found] = [one for one in health["dependencies"] if one["name"] == "loop:knowledge"]
        return None if found["error"] is None else str(found["error"])


@pytest.fixture
async def shop(fresh_broker: Server, mongo_uri: str, tmp_path: Path) -> AsyncIterator[Shop]:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    clock = tmp_path / "clock"
    async with AsyncExitStack() as opened:
        sandbox = await opened.enter_async_context(sandbox_at(tmp_path / "sandbox"))
        settings.onesignal = OneSignalSettings(base_url=sandbox.address)
        database = await opened.enter_async_context(open_database(settings.mongo, "test"))
        api = stack.service("ingest_service", settings, "--only", "api")
        projector = _process(
            settings, "ingest_service", "--only", "projector", "--port", str(stack.free_port())
        )
        sender = _process(settings, "sender_service", **{OFFSET_FILE: str(clock)})
        for server in (api, projector, sender):
            opened.enter_context(server)
        key, token = {"X-Write-Key": "wk_demo"}, {"Authorization": "Bearer ops_demo"}
        events, ops = [
            await opened.enter_async_context(
                httpx.AsyncClient(base_url=f"http://{server.address}", headers=headers, timeout=20)
            )
            for server, headers in ((api, key), (sender, token))
        ]
        shop = Shop(database, sandbox, projector, events, ops, clock, {})
        await _open(shop)
        yield shop


def _process(settings: Settings, name: str, *arguments: str, **more: str) -> Server:
    port = int(arguments[-1]) if arguments else settings.sender.port
    return Server(
        [sys.executable, "-m", name, *arguments], port, stack.environment(settings) | more
    )


async def _open(shop: Shop) -> None:
    """Store the app with its scenarios, and let each person have a browser."""
    await shop.sandbox.put_app(plan="free")

    async def is_ready() -> bool:
        return (await shop.ops.get("/health/ready")).status_code == 200

    await eventually(is_ready, SLOW, every=0.1)
    body = {
        "name": "Demo",
        "oneSignal": {"appId": shop.sandbox.app_id, "restApiKey": KEY, "plan": "free"},
        "keys": [{"id": "web", "kind": "write", "key": "wk_demo"}],
        "timeZone": "Europe/Prague",
        "quietHours": False,
    }
    await shop.put("", body)
    await shop.put(f"/campaigns/{PUSHES}", campaign())
    for name, wait in SCENARIOS.items():
        scenario: dict[str, Any] = {
            "name": name, "enabled": True, "enter": {"on": "event", "type": name},
            "steps": [{"id": "only", "campaign": PUSHES, **wait}],
        }  # fmt: skip
        if name == "free":
            scenario["until"] = []
        await shop.put(f"/scenarios/{name}", scenario)
    players = await shop.sandbox.browsers(len(PEOPLE), odds={"display": 0, "click": 0, "close": 0})
    shop.players = dict(zip(PEOPLE, players, strict=True))
    await shop.report(*(one_signal(name, player) for name, player in shop.players.items()))

    async def are_known() -> bool:
        return bool(await shop.database["profiles"].count_documents({"app": APP}) == len(PEOPLE))

    await eventually(are_known, SLOW)


async def _ended(shop: Shop, name: str) -> str | None:
    """Return why the person's only run ended; None while it waits."""
    person = await shop.database["profiles"].find_one({"app": APP, "visitors": name})
    assert person is not None
    [run] = [run async for run in shop.database["runs"].find({"person": person["_id"]})]
    return None if run["ended"] is None else str(run["ended"]["why"])


async def _pages(shop: Shop) -> list[dict[str, Any]]:
    return [page async for page in shop.database["pages"].find({"app": APP})]


async def test_a_purchase_that_waits_in_the_log_ends_what_rested_for_it(shop: Shop) -> None:
    # As if a broadcast had used the limit up: `now` is planned, and its pages wait.
    full = {str(minute_of(utc_now())): 1_000}
    await BudgetStore(shop.database).change((APP, ONESIGNAL_NAME), lambda found: full)
    await shop.report(*({"type": of, "visitorId": name, "data": {}} for name, of in PEOPLE.items()))

    async def are_planned() -> bool:
        planned = sum(len(page["members"]) for page in await _pages(shop))
        return (planned, await shop.runs()) == (2, len(PEOPLE))

    await eventually(are_planned, SLOW)

    shop.projector.freeze()

    async def rests() -> bool:
        return (await shop.why_resting() or "").startswith(knowledge.PROJECTOR_SILENT)

    await eventually(rests, SLOW, every=0.2)
    resting = await _pages(shop)
    shop.clock.write_text(str(BUDGET_FREES))  # all is due now
    order = {"transaction": {"id": "o", "revenue": 9.0}, "basketItems": {}, "basketTotal": 0}
    await shop.report(
        *(
            {"type": "pageview", "visitorId": name, "data": {"currency": "EUR", **order}}
            for name in ("anna", "dana")
        )
    )
    await shop.until_pushed("cora")

    async def are_postponed() -> bool:
        due = {page["_id"]: page["dueAt"] for page in await _pages(shop)}
        later = timedelta(minutes=WAITS)
        return all(due[page["_id"]] > page["dueAt"] + later for page in resting)

    await eventually(are_postponed, SLOW)
    assert await shop.runs(state="waiting", pushes=[]) >= 2

    shop.projector.thaw()

    async def goes_on() -> bool:
        return await shop.why_resting() is None

    await eventually(goes_on, SLOW, every=0.2)
    shop.clock.write_text(str(PAGES_DUE))
    await shop.until_pushed("bert", "cora", "emil")

    async def are_closed() -> bool:
        return not await shop.database["sends"].count_documents({"app": APP, "closedAt": None})

    await eventually(are_closed, SLOW)
    assert await shop.pushed() == ["bert", "cora", "emil"]
    for name in ("anna", "dana"):
        assert await _ended(shop, name) == "bought"
