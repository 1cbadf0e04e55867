"""Calls that hang: they take neither the other priority's connections nor anybody's turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from sender_service.dispatcher import dispatcher
from sender_service.dispatcher.dispatcher import Dispatcher
from sender_service.dispatcher.tools import DispatcherTools
from sender_service.providers.base import Outcome, Provider, Sent
from sender_service.providers.onesignal.client import OneSignalClient, open_client
from shared.models.app import App
from shared.models.job import Job
from shared.settings import OneSignalSettings
from tests.support.builders import ONESIGNAL_APP_ID, SEND, VAULT, build_app, player_id
from tests.support.clocks import START
from tests.support.providers import on_client
from tests.support.stack import eventually

PLACES = 2


def _job(priority: str) -> Job:
    return Job.model_validate(
        {"app": "demo", "send": SEND, "page": 0, "chunk": "0", "generation": 1, "priority": priority,
         "idempotencyKey": ONESIGNAL_APP_ID, "players": [player_id(1)], "body": {"name": priority},
         "expiresAt": START, "releasedAt": START}
    )  # fmt: skip


@dataclass
class OneSignal:
    """OneSignal that answers marketing's calls only once a test sets `speaks`."""

    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        self.calls += 1
        if orjson.loads(await reader.readexactly(length))["name"] == "marketing":
            await self.speaks.wait()
        body = orjson.dumps({"id": ONESIGNAL_APP_ID})
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        writer.close()


@asynccontextmanager
async def hanging() -> AsyncIterator[tuple[OneSignal, OneSignalClient]]:
    server = OneSignal()
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        settings = OneSignalSettings(base_url=f"http://127.0.0.1:{port}", max_connections=PLACES)
        async with open_client(settings, VAULT) as client:
            yield server, client
            server.speaks.set()


async def test_marketing_that_hangs_takes_no_connection_of_what_is_pressing() -> None:
    async with hanging() as (server, client):
        stuck = [
            asyncio.create_task(client.send(build_app(), _job("marketing"))) for _ in range(PLACES)
        ]
        await eventually(lambda: server.calls == PLACES)
        async with asyncio.timeout(5):
            assert await client.send(build_app(), _job("transactional")) == Sent(
                ONESIGNAL_APP_ID, replayed=False
            )
        server.speaks.set()
        assert await asyncio.gather(*stuck) == [Sent(ONESIGNAL_APP_ID, replayed=False)] * PLACES


class UnlimitedGovernor:
    """A governor that gives every turn at once, and counts."""

    given = 0

    async def acquire(
        self, app: App, provider: Provider, *, transactional: bool, within: float
    ) -> bool:
        self.given += 1
        return True


def _dispatcher(turns: UnlimitedGovernor) -> Dispatcher:
    nothing: Any = None
    return Dispatcher(
        DispatcherTools(nothing, nothing, cast(Any, turns), {}, nothing, lambda: START)
    )


async def _fill_places(
    one: Dispatcher, server: OneSignal, client: OneSignalClient, *, waiting: int = 0
) -> list[asyncio.Task[Outcome | None]]:
    """Call for marketing until no connection is free, and `waiting` times more; return the calls."""
    calls = [
        asyncio.create_task(one._call(on_client(client), build_app(), _job("marketing")))
        for _ in range(PLACES + waiting)
    ]
    await eventually(lambda: server.calls == PLACES)
    return calls


async def test_who_waited_for_a_connection_takes_another_turn() -> None:
    async with hanging() as (server, client):
        turns = UnlimitedGovernor()
        one = _dispatcher(turns)
        calls = await _fill_places(one, server, client, waiting=1)
        await asyncio.sleep(dispatcher.STALE_SLOT_SECONDS * 1.5)
        assert turns.given == PLACES + 1
        server.speaks.set()
        outcomes: list[Outcome | None] = await asyncio.gather(*calls)
        assert outcomes == [Sent(ONESIGNAL_APP_ID, replayed=False)] * (PLACES + 1)
        assert turns.given == PLACES + 2


async def test_marketing_that_hangs_takes_no_place_of_what_is_pressing() -> None:
    async with hanging() as (server, client):
        one = _dispatcher(UnlimitedGovernor())
        stuck = await _fill_places(one, server, client)
        async with asyncio.timeout(dispatcher.SLOT_SECONDS / 2):
            pressing = await one._call(on_client(client), build_app(), _job("transactional"))
        assert pressing == Sent(ONESIGNAL_APP_ID, replayed=False)
        server.speaks.set()
        await asyncio.gather(*stuck)


async def test_who_gets_no_connection_in_time_is_handed_back(monkeypatch: Any) -> None:
    monkeypatch.setattr(dispatcher, "SLOT_SECONDS", 0.05)
    async with hanging() as (server, client):
        one = _dispatcher(UnlimitedGovernor())
        stuck = await _fill_places(one, server, client)
        assert await one._call(on_client(client), build_app(), _job("marketing")) is None
        server.speaks.set()
        assert None not in await asyncio.gather(*stuck)
        assert await one._call(on_client(client), build_app(), _job("marketing")) is not None
