"""Intake, the ops API and the planner on a real database."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson

from sender_service.intake.request import parse_request
from sender_service.models.send import Send
from sender_service.pages.page import Page
from sender_service.wiring import Sender, open_sender
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import INGEST, SENDER
from tests.support.clocks import START
from tests.support.documents import build_profile, store_people
from tests.support.stack import settings_for

TEXTS = {"headings": {"en": "Hi"}, "contents": {"en": "Come"}, "url": "https://shop.example/"}


class IntakeHarness:
    def __init__(self, sender: Sender, http: httpx.AsyncClient) -> None:
        self.sender = sender
        self.http = http
        self.database = sender.context.database

    async def put(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.http.put(path, json=body)
        assert answer.is_success, answer.text

    async def publish_triggers(self, *triggers: dict[str, Any]) -> list[str | None]:
        """Hand triggers to intake as its stage does; return each dead letter's code."""
        requests = [parse_request(orjson.dumps(trigger)) for trigger in triggers]
        return [v.code if v else None for v in await self.sender.intake().accept(requests)]

    async def upload(self, head: dict[str, Any], lines: Iterable[bytes]) -> httpx.Response:
        body = b"\n".join([orjson.dumps(head), *lines])
        return await self.http.post(
            "/v1/sends", content=body, headers={"content-type": "application/x-ndjson"}
        )

    async def plan(self) -> None:
        """Plan everything that is due."""
        planner = self.sender.planners()[1]
        while await planner.plan_one():
            pass

    async def send(self, send: str) -> Send:
        found = await self.sender.context.stores.sends.get(send)
        assert found is not None
        return found

    async def pages(self, send: str) -> list[Page]:
        found = [page async for page in self.sender.context.stores.pages.of_send(send)]
        return sorted(found, key=lambda page: page.number)

    async def parts(self, send: str | None = None) -> int:
        """Return how many documents of parts there are."""
        return await self.database["parts"].count_documents({"send": send} if send else {})

    async def person(self, name: str, *players: str, **fields: Any) -> None:
        """Store a person with this login and these players."""
        known: dict[str, Any] = {"login": name, "visitors": [f"v-{name}"], "language": "en"}
        known |= {"lastSeenAt": START, **fields}
        profile = build_profile(f"p-{name}", players=[{"id": p} for p in players], **known)
        await store_people(self.database, profile)


@asynccontextmanager
async def open_harness(mongo_uri: str, folder: Path) -> AsyncIterator[IntakeHarness]:
    """Open a harness with the app `demo` and its campaign `welcome`, without broker or OneSignal."""
    settings = settings_for("127.0.0.1:1", mongo_uri, folder)
    settings.onesignal.base_url = "http://127.0.0.1:1"
    async with open_sender(settings) as sender:
        for service in (INGEST, SENDER):
            await ensure_indexes(sender.context.database, service)
        transport = httpx.ASGITransport(sender.api(), client=("127.0.0.1", 1))
        headers = {"authorization": "Bearer ops_demo"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ops", headers=headers
        ) as http:
            # No projector is here that could know anybody later.
            harness = IntakeHarness(replace(sender, unknown_names=None), http)
            one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_secret"}
            await harness.put("/v1/apps/demo", {"name": "Demo", "oneSignal": one_signal})
            await harness.put("/v1/apps/demo/campaigns/welcome", a_campaign())
            yield harness


def a_campaign(**variant: Any) -> dict[str, Any]:
    return {"name": "Welcome", "variants": [{"id": "a", **TEXTS, **variant}]}


def a_trigger(**fields: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "app": "demo", "campaign": "welcome", **fields}


def logins(*names: str) -> list[dict[str, Any]]:
    return [{"login": name} for name in names]


async def people(harness: IntakeHarness, *names: str) -> dict[str, str]:
    """Login → the player of each."""
    players = {name: str(uuid.uuid4()) for name in names}
    for name, player in players.items():
        await harness.person(name, player)
    return players


async def reached(harness: IntakeHarness, send: str) -> list[str]:
    return [member[0] for page in await harness.pages(send) for member in page.members]
