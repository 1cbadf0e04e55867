"""The ops API as the service wires it, on the real database, over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from sender_service.wiring import Sender, open_sender
from shared.settings import Settings
from tests.support import stack
from tests.support.ops_client import Ops, open_ops

TOKEN = "ops_demo"
KEY = "os_v2_app_very_secret"


@dataclass
class Api:
    """The API, what it stands on, and an app with a campaign."""

    sender: Sender
    http: httpx.AsyncClient
    onesignal: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, path, **more)

    async def ok(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def an_app(self, **fields: Any) -> dict[str, Any]:
        one_signal = {"appId": self.onesignal, "restApiKey": KEY}
        return {"name": "Demo", "oneSignal": one_signal, **fields}

    async def put_app(self, app: str = "demo", **fields: Any) -> Any:
        return await self.ok("PUT", f"/v1/apps/{app}", json=self.an_app(**fields))

    async def put_campaign(self, app: str = "demo", campaign: str = "welcome") -> Any:
        return await self.ok("PUT", f"/v1/apps/{app}/campaigns/{campaign}", json=a_campaign())


def a_campaign(**fields: Any) -> dict[str, Any]:
    texts = {"headings": {"en": "Hi"}, "contents": {"en": "Come"}, "url": "https://shop.example/"}
    return {"name": "Welcome", "variants": [{"id": "a", **texts}], **fields}


def a_trigger(**fields: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "app": "demo", "campaign": "welcome", "audience": {"all": True},
            **fields}  # fmt: skip


def client(sender: Sender, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(sender.api(), raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://ops", headers=headers)


@pytest.fixture(scope="session")
async def whole_api(
    broker: str, lasting_mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """Put together once: that takes longer than most tests."""
    settings = stack.settings_for(broker, lasting_mongo_uri, tmp_path_factory.mktemp("ops"))
    async with (
        open_sender(settings) as sender,
        client(sender, Authorization=f"Bearer {TOKEN}") as http,
    ):
        yield Api(sender, http)


@pytest.fixture
async def api(whole_api: Api) -> Api:
    """Return an API with nothing in it."""
    database = whole_api.sender.context.database
    for name in await database.list_collection_names():
        await database[name].delete_many({})
    whole_api.sender.context.apps.take([])
    whole_api.sender.budget.counts._counts.clear()  # subscribers of the test before
    return whole_api


@pytest.fixture
async def shop(api: Api) -> Api:
    """Return an API with an app and a campaign."""
    await api.put_app()
    await api.put_campaign()
    return api


@pytest.fixture
async def empty_ops(settings: Settings) -> AsyncIterator[Ops]:
    """Yield an API on a database of its own, with nothing in it."""
    async with open_ops(settings) as opened:
        yield opened


@pytest.fixture
async def ops(empty_ops: Ops) -> Ops:
    """Return an API on a database of its own, with the app `shop` and a campaign."""
    await empty_ops.open_app()
    return empty_ops
