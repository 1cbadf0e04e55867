"""Tests after all the faults: what the logs show, who gets in, and where our servers never call."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from sender_service.providers.registry import PROVIDERS
from tests.faults.conftest import CHOICE
from tests.faults.fault_cluster import OPS_TOKEN, SERVICES, FaultCluster
from tests.faults.planting import PROXIED, plant_everything
from tests.faults.rounds import FaultRun
from tests.faults.shop import Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.carillon import campaign
from tests.support.marks import search
from tests.support.stack import eventually, free_port

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
METHODS = ("get", "put", "post", "delete", "patch")
OPEN = {"/health/live", "/health/ready", "/metrics"}
MAKERS = {
    "sender_service/providers/onesignal/client.py",
    "sender_service/providers/onesignal/provider.py",
}
CLIENTS = {
    "AiohttpTransport",
    "AsyncClient",
    "AsyncHTTPTransport",
    "Client",
    "ClientSession",
    "urlopen",
    "create_connection",
    "open_connection",
}


async def test_every_ops_route_needs_a_token(world: FaultCluster) -> None:
    base = f"http://{world.sender.address}"
    document = (await world.http.get(f"{base}/openapi.json")).json()
    routes = [(m, p) for p, ms in document["paths"].items() for m in ms if m in METHODS]
    closed = [(m, p) for m, p in routes if p not in OPEN]
    assert len(closed) >= 15
    for number, (method, path) in enumerate(closed):
        url = base + path.replace("{", "").replace("}", "")
        # An address with many wrong tokens has to wait: each route is asked from another one.
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.1.{number + 1}")
        async with httpx.AsyncClient(transport=transport) as client:
            for headers in (
                {},
                {"Authorization": "Bearer no"},
                {"Authorization": f"Basic {OPS_TOKEN}"},
            ):
                answer = await client.request(method, url, headers=headers, json={})
                assert answer.status_code == 401, (method, path, answer.status_code)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert OPS_TOKEN not in answer.text


@pytest.mark.parametrize("name", SERVICES)
async def test_headers_reveal_nothing_and_admit_nobody(world: FaultCluster, name: str) -> None:
    base = f"http://{world.servers[name].address}"
    for path in ("/health/ready", "/v1/nothing", "/v1/sends", "/v1/profile", "/%00", "/../etc"):
        answer = await world.http.get(base + path, headers={"Origin": "https://evil.example.test"})
        assert answer.headers["Content-Type"].startswith("application/json"), path
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers  # nor anywhere else: see test_schemas.py
        assert "Traceback" not in answer.text
        if name == "sender":  # no page of anybody's may read the ops API
            assert "Access-Control-Allow-Origin" not in answer.headers


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[str, list[str]]]:
    """Yield address and calls of a server that none of our processes may call."""
    calls: list[str] = []

    async def note(request: web.Request) -> web.Response:
        calls.append(str(request.rel_url))
        return web.Response()

    app, port = web.Application(), free_port()
    app.router.add_route("*", "/{rest:.*}", note)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}", calls
    finally:
        await runner.cleanup()


async def test_urls_that_come_in_are_never_called(
    world: FaultCluster, webhook_proxy: WebhookProxy, writer: Any
) -> None:
    shop = Shop.of(f"trap:{CHOICE.seed}")
    await open_shop(world, webhook_proxy, shop)
    clients = Clients(world, shop, writer, "trap")
    await clients.subscribe_first_half()
    async with trap() as (url, calls):
        body = campaign()
        button = {"id": "b", "text": "Go", "url": f"{url}/button", "icon": f"{url}/button.png"}
        body["variants"][0] |= {"url": f"{url}/click", "icon": f"{url}/icon.png"}
        body["variants"][0] |= {"image": f"{url}/image.png", "buttons": [button]}
        await world.ops("PUT", f"/v1/apps/{shop.app}/campaigns/trap", json=body)
        page = {"type": "pageview", "visitorId": shop.visitor(0), "page": {"url": f"{url}/page"}}
        ingest = f"http://{world.ingest.address}"
        headers = {"X-Write-Key": shop.write_key, "Referer": f"{url}/referer"}
        assert (
            await world.http.post(f"{ingest}/v1/events", json=page, headers=headers)
        ).status_code == 202
        send = str(uuid.uuid4())
        trigger = {"id": send, "app": shop.app, "campaign": "trap", "audience": {"all": True}}
        await world.ops("POST", "/v1/sends", json=trigger)

        async def seen() -> bool:
            account = await world.ops("GET", f"/v1/sends/{send}")
            return bool(account["closedAt"] and account["impressions"] == account["sent"] > 0)

        await eventually(seen, 60, every=0.2)
        assert calls == []


def test_only_onesignals_address_is_called() -> None:
    # By design: clients are made in two places, and both know one address, from the settings.
    makers = {}
    for service in ("ingest_service", "sender_service", "shared"):
        for path in (ROOT / service).rglob("*.py"):
            if path.parent.name == "cli":  # a person's own commands, to addresses of their own
                continue
            if path.parents[1].name == "providers" and path.parent.name not in PROVIDERS:
                continue  # a skeleton that only tests open
            source = path.read_text()
            if CLIENTS & {_called(node) for node in ast.walk(ast.parse(source))}:
                makers[str(path.relative_to(ROOT))] = source
    assert set(makers) == MAKERS
    address = re.compile(r"settings\.(onesignal\.)?base_url")
    assert all(address.search(source) for source in makers.values())


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


async def test_nothing_that_is_reported_gets_into_a_log(
    world: FaultCluster, webhook_proxy: WebhookProxy, writer: Any
) -> None:
    # All that is secret or personal, by every way in, taken and refused.
    values = await plant_everything(world, webhook_proxy, writer, CHOICE.seed)
    assert len(values) >= 10
    assert search(world.logs, values) == []


def test_no_log_shows_a_secret_or_a_person(world: FaultCluster, course: FaultRun) -> None:
    """Last of all: what every round planted, and whatever has the shape of a secret."""
    names = {log.name for log in world.logs.iterdir()}
    assert {"ingest.log", "sender.log", PROXIED} <= names
    players = {player for shop in course.shops for player in shop.players}
    assert search(world.logs, players) == []
