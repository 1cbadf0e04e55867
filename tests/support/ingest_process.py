"""The ingest service as a process, and an app for it to serve."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from shared.mongo.client import Database, open_database
from shared.secrets import Vault
from shared.settings import Settings
from tests.support import stack

EVENTS = "/v1/events?key=wk_demo"


async def seed_app(settings: Settings, database: Database) -> None:
    """Store the app `demo` with the keys wk_demo, sk_demo and wh_demo."""
    vault = Vault(settings.secret_key.get_secret_value())
    await database["apps"].insert_one(
        {
            "_id": "demo",
            "name": "Demo",
            "version": 1,
            "oneSignal": {"appId": str(uuid.uuid4()), "restApiKey": "sealed"},
            "loginHash": {"required": False},
            "keys": [
                {"id": "w", "kind": "write", "hash": vault.hash_key("wk_demo")},
                {"id": "s", "kind": "server", "hash": vault.hash_key("sk_demo")},
                {"id": "h", "kind": "webhook", "hash": vault.hash_key("wh_demo")},
            ],
        }
    )


async def seed_key(settings: Settings, database: Database, app: str, key: str) -> None:
    """Another app, with one write key."""
    vault = Vault(settings.secret_key.get_secret_value())
    await database["apps"].insert_one(
        {
            "_id": app,
            "name": app,
            "version": 1,
            "oneSignal": {"appId": str(uuid.uuid4()), "restApiKey": "sealed"},
            "keys": [{"id": "w", "kind": "write", "hash": vault.hash_key(key)}],
        }
    )


@asynccontextmanager
async def client_of(server: stack.Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{server.address}", timeout=20) as client:
        yield client


@asynccontextmanager
async def seeded(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as database:
        await seed_app(settings, database)
        yield database


async def readiness(client: httpx.AsyncClient) -> tuple[int, str]:
    answer = await client.get("/health/ready")
    return answer.status_code, answer.json()["status"]


async def until(client: httpx.AsyncClient, code: int, status: str, timeout: float = 30) -> None:
    async def is_there() -> bool:
        return await readiness(client) == (code, status)

    await stack.eventually(is_there, timeout)


def one_signal(visitor: str, player: str, **more: Any) -> dict[str, Any]:
    data = {"playerID": player, "status": "subscribed"}
    return {"type": "oneSignal", "visitorId": visitor, "data": data, **more}


async def player_of(client: httpx.AsyncClient, visitor: str) -> str | None:
    answer = await client.get(f"/v1/profile?key=wk_demo&visitorId={visitor}")
    assert answer.status_code == 200, answer.text
    found: str | None = answer.json()["db"]["oneSignal"].get("playerID")
    return found


async def until_known(
    client: httpx.AsyncClient, visitor: str, player: str, timeout: float = 20
) -> None:
    async def is_known() -> bool:
        return await player_of(client, visitor) == player

    await stack.eventually(is_known, timeout)
