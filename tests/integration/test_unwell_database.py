"""A database that answers with errors: refused password, full disk. Roles wait, and events are taken."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.support import stack
from tests.support.ingest_process import (
    EVENTS,
    client_of,
    one_signal,
    readiness,
    seed_app,
    until,
    until_known,
)
from tests.support.mongo_proxy import MongoProxy, Refusal
from tests.support.mongo_wire import Message

WRONG_PASSWORD = Refusal(18, "AuthenticationFailed")
NOT_ALLOWED = Refusal(13, "Unauthorized")
DISK_FULL = Refusal(14031, "OutOfDiskSpace")
READS = frozenset({"find", "getMore", "aggregate", "count"})
ROLES = ("intake,planner,scheduler", "dispatcher,accounting", "ops")


def refuse_all(refusal: Refusal) -> Any:
    return lambda _: refusal


def refuse_writes(refusal: Refusal) -> Any:
    def decide(request: Message) -> Refusal | None:
        return None if request.command in READS else refusal

    return decide


@pytest.fixture
def proxy(mongo_uri: str) -> Iterator[MongoProxy]:
    with MongoProxy.before(mongo_uri) as proxy:
        yield proxy


@pytest.fixture
def proxied(settings: Settings, proxy: MongoProxy) -> Settings:
    mongo = settings.mongo.model_copy(update={"uri": SecretStr(proxy.uri)})
    return settings.model_copy(update={"mongo": mongo})


@asynccontextmanager
async def direct(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as database:
        yield database


async def unwell(client: httpx.AsyncClient, name: str) -> str:
    """Return the component's error; "" while it has none."""
    body = (await client.get("/health/ready")).json()
    return next((d["error"] or "" for d in body["dependencies"] if d["name"] == name), "")


@pytest.mark.parametrize("refusal", [WRONG_PASSWORD, NOT_ALLOWED], ids=lambda r: r.name)
async def test_n4_ingest_takes_events_under_a_refused_password_and_starts_so(
    settings: Settings, proxied: Settings, proxy: MongoProxy, tmp_path: Path, refusal: Refusal
) -> None:
    async with direct(settings) as database:
        await seed_app(settings, database)
    server = stack.service("ingest_service", proxied)
    server.log = log = tmp_path / "ingest.log"
    with server:
        async with client_of(server) as client:
            await until(client, 200, "ready")  # the apps' copy is on disk by then, or soon
            copy = proxied.data_dir / "ingest" / "apps.json"
            await stack.eventually(copy.exists)
            proxy.decide = refuse_all(refusal)
            await until(client, 200, "degraded")
            first, second = str(uuid.uuid4()), str(uuid.uuid4())
            answer = await client.post(EVENTS, json=one_signal("v", first))
            assert answer.status_code == 202
            assert server.stop() == 0
            server.log = log  # a start forgets nothing
            server.start()
            await until(client, 200, "degraded")
            answer = await client.post(EVENTS, json=one_signal("w", second))
            assert answer.status_code == 202
            answer = await client.post("/v1/events?key=wk_other", json=one_signal("w", second))
            assert answer.status_code == 503  # a browser would drop what a 401 refuses
            message = f"mongo_unavailable ({refusal.code} {refusal.name})"
            await stack.eventually(lambda: _is(client, "mongodb", message))
            assert server.returncode is None
            proxy.decide = lambda _: None
            await until(client, 200, "ready")
            await until_known(client, "v", first)
            await until_known(client, "w", second)
    written = log.read_text()
    assert f'"mongoCode":{refusal.code},"codeName":"{refusal.name}"' in written
    assert "planted" not in written  # the server's text


async def _is(client: httpx.AsyncClient, name: str, error: str) -> bool:
    return await unwell(client, name) == error


@pytest.mark.parametrize(
    ("refusal", "all_of_it"),
    [(WRONG_PASSWORD, True), (DISK_FULL, False), (Refusal(), False)],
    ids=["password", "disk", "invented"],
)
async def test_n4_the_sender_is_not_ready_and_goes_on_by_itself(
    proxied: Settings, proxy: MongoProxy, refusal: Refusal, all_of_it: bool
) -> None:
    with stack.service("sender_service", proxied) as server:
        async with client_of(server) as client:
            await until(client, 200, "ready")
            proxy.decide = refuse_all(refusal) if all_of_it else refuse_writes(refusal)
            await until(client, 503, "unavailable")
            assert str(refusal.code) in await unwell(client, "mongodb")
            proxy.decide = lambda _: None
            await until(client, 200, "ready")
            assert server.returncode is None


@pytest.mark.parametrize("role", ["projector", *ROLES])
async def test_n4_each_role_starts_under_a_refused_password(
    proxied: Settings, proxy: MongoProxy, role: str
) -> None:
    proxy.decide = refuse_all(WRONG_PASSWORD)
    name = "ingest_service" if role == "projector" else "sender_service"
    port = ("--port", str(proxied.ingest.port)) if role == "projector" else ()
    with stack.service(name, proxied, "--only", role, *port) as server:
        async with client_of(server) as client:
            message = "mongo_unavailable (18 AuthenticationFailed)"
            await stack.eventually(lambda: _is(client, "mongodb", message), 20)
            assert server.returncode is None
            proxy.decide = lambda _: None
            await until(client, 200, "ready")


async def test_e2_one_command_a_collection_and_ready_only_after_them(
    proxied: Settings, proxy: MongoProxy
) -> None:
    made: list[str] = []
    is_blocking = [True]

    def decide(request: Message) -> Refusal | None:
        if request.command != "createIndexes":
            return None
        if is_blocking[0]:
            return Refusal()
        made.append(request.collection)
        return None

    proxy.decide = decide
    with stack.service("sender_service", proxied) as server:
        async with client_of(server) as client:
            await stack.eventually(lambda: _is_there(client, "indexes"), 20)
            await stack.eventually(lambda: _is(client, "mongodb", ""), 20)
            assert (await readiness(client))[0] == 503
            is_blocking[0] = False
            await until(client, 200, "ready")
    assert len(made) > 10 and len(set(made)) == len(made)


async def _is_there(client: httpx.AsyncClient, name: str) -> bool:
    return bool(await unwell(client, name))
