"""Snapshots and replays on real servers: rebuilt beside the live collections, equal, with the API up."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest_service.projector.person_ids import PersonIds
from ingest_service.snapshot.files import readable_snapshots
from ingest_service.snapshot.take import folder_of
from shared.kafka.client import OutgoingRecord, open_log_writer
from shared.models.event import ERASE, Event
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import Settings
from tests import stack
from tests.integration.ingest.running import (
    EVENTS,
    client_of,
    one_signal,
    seeded,
    until,
    until_known,
)

PLAYERS = [f"{n}1111111-1111-4111-8111-111111111111" for n in range(6)]
LEFT_OUT = {"rev", "changedAt"}


@pytest.fixture
def alone(fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path) -> Settings:
    return stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)


async def command(settings: Settings, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_service", *arguments, env=_env(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def _env(settings: Settings) -> dict[str, str]:
    return {**os.environ, **stack.environment(settings)}


async def contents(database: Database) -> dict[str, dict[str, Any]]:
    found = {}
    for name in ("visitors", "players", "profiles", "merges"):
        documents = [d async for d in database[name].find({})]
        found[name] = {
            d["_id"]: {k: v for k, v in d.items() if k not in LEFT_OUT} for d in documents
        }
    return found


async def publish(client: Any, *events: dict[str, Any]) -> None:
    answer = await client.post(EVENTS, json=list(events))
    assert answer.status_code == 202, answer.text


async def shop_day(client: Any, first: int) -> None:
    """Two browsers, a login, a logout, views and baskets."""
    for n in (first, first + 1):
        visitor = f"v{n}"
        await publish(
            client,
            one_signal(visitor, PLAYERS[n]),
            {"type": "pageview", "visitorId": visitor, "data": {"itemID": f"i{n}"}},
            {"type": "identify", "visitorId": visitor, "data": {"login": "eva"}},
            {"type": "addToBasket", "visitorId": visitor, "data": {"itemID": "hat"}},
        )
    await publish(client, {"type": "logout", "visitorId": f"v{first}"})
    await publish(
        client, {"type": "pageview", "visitorId": f"last{first}", "data": {"itemID": "x"}}
    )


async def until_settled(database: Database, count: int) -> None:
    async def is_settled() -> bool:
        found = await database["profiles"].find_one({"visitors": f"v{count - 1}"})
        last = await database["profiles"].find_one({"visitors": f"last{count - 2}"})
        nobody = await database["profiles"].find_one({"visitors": f"v{count - 2}", "login": None})
        if not (found and last and nobody):
            return False
        # A bulk of writes is seen one by one.
        return bool(found["basket"]["items"]) and f"v{count - 2}" in found["pastVisitors"]

    await stack.eventually(is_settled, 20)


async def test_replay_ends_equal_while_the_api_is_up(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await shop_day(client, 0)
                await until_settled(database, 2)
                code, told = await command(alone, "snapshot")
                assert code == 0, told
                await shop_day(client, 2)
                await until_settled(database, 4)
                before = await contents(database)
                code, told = await command(alone, "replay")
                assert code == 0, told
                assert "0 documents differ" in told
                assert await contents(database) == before
                await shop_day(client, 4)  # and the projector goes on
                await until_settled(database, 6)
                await until_known(client, "v5", PLAYERS[5])
                staged = [n for n in await database.list_collection_names() if "replay_" in n]
                assert staged == []


async def test_replay_repairs_what_was_damaged(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await shop_day(client, 0)
                await until_settled(database, 2)
                before = await contents(database)
                for path, _ in readable_snapshots(folder_of(alone)):
                    path.unlink()
                await database["profiles"].update_many({}, {"$set": {"email": "wrong"}})
                code, told = await command(alone, "replay")
                assert code == 0, told
                assert await contents(database) == before


async def test_replay_refuses_another_log(alone: Settings, fresh_broker: stack.Server) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await shop_day(client, 0)
                await until_settled(database, 2)
        code, told = await command(alone, "snapshot")
        assert code == 0, told
        before = await contents(database)
        with stack.broker() as other:
            kafka = alone.kafka.model_copy(update={"bootstrap_servers": other.address})
            code, told = await command(alone.model_copy(update={"kafka": kafka}), "replay")
        assert code == 2 and "another" in told, told
        assert await contents(database) == before


async def test_replay_goes_on_from_the_log_before_where_its_snapshot_was_final(
    alone: Settings,
) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await shop_day(client, 0)
                await until_settled(database, 2)
        code, told = await command(alone, "snapshot", "--final")
        assert code == 0, told
        with stack.broker() as other:
            kafka = alone.kafka.model_copy(update={"bootstrap_servers": other.address})
            after = alone.model_copy(update={"kafka": kafka})
            with stack.service("ingest_service", after) as server:
                async with client_of(server) as client:
                    await until(client, 200, "ready")
                    await shop_day(client, 2)
                    await until_settled(database, 4)
                    before = await contents(database)
                    for path, header in readable_snapshots(folder_of(alone)):
                        if not header.final:  # the keeper's own, of the new log
                            path.unlink()
                    code, told = await command(after, "replay")
                    assert code == 0, told
                    assert await contents(database) == before


async def test_erased_person_leaves_snapshots_too(alone: Settings) -> None:
    people = PersonIds(Vault(alone.secret_key.get_secret_value()).derive("person"))
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await shop_day(client, 0)
                await until_settled(database, 2)
                assert (await command(alone, "snapshot"))[0] == 0
                await erase(alone, people.of_login("demo", "eva"), "v0", "v1")

                async def is_gone() -> bool:
                    profile = await database["profiles"].find_one({"login": "eva"})
                    headers = [header for _, header in readable_snapshots(folder_of(alone))]
                    return profile is None and all(h.erasures for h in headers)

                await stack.eventually(is_gone, 30)
                before = await contents(database)
                code, told = await command(alone, "snapshot")
                assert code == 0, told
                code, told = await command(alone, "replay")
                assert code == 0, told
                assert await contents(database) == before
                assert await database["profiles"].find_one({"login": "eva"}) is None


async def erase(settings: Settings, person: str, *visitors: str) -> None:
    at = datetime.now(UTC)
    async with open_log_writer(settings.kafka, "test") as writer:
        events = [
            Event(
                app="demo", id=f"erase-{visitor}", type=ERASE, source="ops", visitor_id=visitor,
                occurred_at=at, received_at=at, data={"person": person, "players": PLAYERS[:2]},
            )
            for visitor in visitors
        ]  # fmt: skip
        await writer.publish(
            [OutgoingRecord("carillon.events", e.key, e.dump(), e.type) for e in events]
        )
