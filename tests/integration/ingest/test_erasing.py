"""Erased, with everything that comes later from before: a browser on its way, an old export."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from ingest_service.projector.person_ids import PersonIds
from shared.events.registry import ERASE
from shared.kafka.client import open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.models.event import Event
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.export_rows import HEADER, export_row
from tests.integration.ingest.shop_day import contents, publish_events
from tests.support import stack
from tests.support.ingest_process import client_of, one_signal, seeded, until, until_known

HIS, HERS = str(uuid.uuid4()), str(uuid.uuid4())


async def erase_eva(settings: Settings) -> None:
    """Erase eva as the operator's API does when it knows only one of her browsers."""
    people = PersonIds(Vault(settings.secret_key.get_secret_value()).derive("person"))
    now = datetime.now(UTC)
    data = {"person": people.of_login("demo", "eva"), "players": [HIS], "findOthers": True}
    event = Event(
        app="demo", id=str(uuid.uuid4()), type=ERASE, source="ops", visitor_id="known",
        occurred_at=now, received_at=now, data=data,
    )  # fmt: skip
    async with open_log_writer(settings.kafka, "test") as writer:
        await writer.publish(
            [OutgoingRecord("carillon.events", event.key, event.dump(), event.type)]
        )


async def all_of(database: Database) -> str:
    return str(await contents(database))


async def test_nothing_from_before_an_erasure_comes_back(alone: Settings, tmp_path: Path) -> None:
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:

                async def is_gone() -> bool:
                    left = await all_of(database)
                    return not any(name in left for name in ("eva", "late", "Brno"))

                await until(client, 200, "ready")
                identify = {"type": "identify", "data": {"login": "eva"}, "occurredAt": before}
                await publish_events(
                    client, {**identify, "visitorId": "known"}, one_signal("known", HIS)
                )
                await until_known(client, "known", HIS)
                await erase_eva(alone)
                await stack.eventually(is_gone, 20)
                await publish_events(
                    client,
                    {**identify, "visitorId": "late"},
                    one_signal("late", HERS, occurredAt=before),
                )

                async def is_known_as_erased() -> bool:
                    return (
                        await database["players"].find_one({"_id": HERS, "state": "erased"})
                        is not None
                    )

                await stack.eventually(is_known_as_erased, 20)
                await stack.eventually(is_gone, 20)
                rows = [
                    export_row(HIS, login="eva"),
                    export_row(HERS),
                    export_row(str(uuid.uuid4()), login="eva"),
                ]
                export = tmp_path / "old.csv"
                export.write_text(HEADER + "".join(rows))
                code, output = await run_command(alone, "import", str(export), "--app", "demo")
                assert code == 0 and "3 imported" in output, output
                await publish_events(client, {"type": "pageview", "visitorId": "last"})

                async def is_read() -> bool:
                    known = await database["visitors"].count_documents({"erased": {"$ne": None}})
                    last = await database["profiles"].find_one({"visitors": "last"})
                    return known >= 5 and last is not None

                await stack.eventually(is_read, 20)  # two browsers, three stand-ins
                await stack.eventually(is_gone, 20)
                ended = await contents(database)
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                assert await contents(database) == ended


async def _paid(client: httpx.AsyncClient, login: str, order: str, **more: Any) -> None:
    lines = [{"item": "shoe", "quantity": 1, "price": 10}]
    event = {"type": "purchase", "login": login, "data": {"id": order, "items": lines}, **more}
    answer = await client.post("/v1/events", headers={"X-Write-Key": "sk_demo"}, json=event)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text


async def _orders(database: Database, login: str) -> set[str]:
    found = await database["profiles"].find_one({"login": login})
    return set() if found is None else {order["id"] for order in found["purchases"]}


async def test_orders_that_name_a_login_are_erased_and_replayed(alone: Settings) -> None:
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    people = PersonIds(Vault(alone.secret_key.get_secret_value()).derive("person"))
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                identify = {"type": "identify", "visitorId": "known", "data": {"login": "eva"}}
                await publish_events(
                    client, {**identify, "occurredAt": before}, one_signal("known", HIS)
                )
                await until_known(client, "known", HIS)
                await _paid(client, "eva", "o-1", id=str(uuid.uuid4()))
                await _paid(client, "adam", "o-2")

                async def are_known() -> bool:
                    return (await _orders(database, "eva"), await _orders(database, "adam")) == (
                        {"o-1"}, {"o-2"},
                    )  # fmt: skip

                await stack.eventually(are_known, 20)
                eva = await database["profiles"].find_one({"login": "eva"})
                visitor = people.visitor_of_login("demo", "eva")
                assert eva is not None and sorted(eva["visitors"]) == ["known", visitor]
                assert [player["id"] for player in eva["players"]] == [HIS]
                await erase_eva(alone)

                async def is_gone() -> bool:
                    left = str(await contents(database))
                    return "eva" not in left and "o-1" not in left and "o-2" in left

                await stack.eventually(is_gone, 20)
                await _paid(client, "eva", "o-old", occurredAt=before)  # it was on its way
                await _paid(client, "eva", "o-new")

                async def is_new() -> bool:
                    return await _orders(database, "eva") == {"o-new"}

                await stack.eventually(is_new, 20)
                ended = await contents(database)
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                assert await contents(database) == ended
