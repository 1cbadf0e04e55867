"""Events that name a login, in the spool, beside an import, in a snapshot and a replay."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import httpx

from ingest_service.projector.person_ids import PersonIds
from shared.mongo.client import Database
from shared.secrets import Vault
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.export_rows import HEADER, export_row
from tests.integration.ingest.shop_day import contents, publish_events
from tests.support import stack
from tests.support.ingest_process import client_of, one_signal, seeded, until

IMPORTED, HERS = str(uuid.uuid4()), str(uuid.uuid4())


async def _pay(client: httpx.AsyncClient, order: str, **more: Any) -> None:
    event = {"type": "purchase", "login": "eva", "data": {"id": order, "items": []}, **more}
    answer = await client.post("/v1/events", headers={"X-Write-Key": "sk_demo"}, json=event)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text


async def _until_ordered(database: Database, *orders: str) -> Any:
    async def eva() -> Any:
        found = await database["profiles"].find_one({"login": "eva"})
        has_all = found is not None and {o["id"] for o in found["purchases"]} == set(orders)
        return found if has_all else None

    return await stack.eventually(eva, 30)


async def test_orders_wait_in_the_spool_and_are_in_snapshots(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    kafka = settings.kafka.model_copy(update={"request_timeout_ms": 3_000})
    settings = settings.model_copy(update={"kafka": kafka})
    people = PersonIds(Vault(settings.secret_key.get_secret_value()).derive("person"))
    visitor, again = people.visitor_of_login("demo", "eva"), str(uuid.uuid4())
    server = stack.service("ingest_service", settings)
    async with seeded(settings) as database, client_of(server) as client:
        with server:
            await until(client, 200, "ready")
            await _pay(client, "o-1", id=again)
            await _until_ordered(database, "o-1")
            fresh_broker.freeze()
            await asyncio.gather(_pay(client, "o-2"), _pay(client, "o-1", id=again))
            server.kill()
            fresh_broker.thaw()
            server.start()
            await until(client, 200, "ready", 60)
            eva = await _until_ordered(database, "o-1", "o-2")
            assert (eva["visitors"], eva["players"]) == ([visitor], [])

            code, output = await run_command(settings, "snapshot")
            assert code == 0, output
            export = tmp_path / "export.csv"
            export.write_text(HEADER + export_row(IMPORTED, login="eva"))
            code, output = await run_command(settings, "import", str(export), "--app", "demo")
            assert code == 0 and "1 imported" in output, output
            await publish_events(
                client,
                {"type": "identify", "visitorId": "phone", "data": {"login": "eva"}},
                one_signal("phone", HERS),
            )
            await _pay(client, "o-3")

            async def is_whole() -> bool:
                found = await _until_ordered(database, "o-1", "o-2", "o-3")
                return {p["id"] for p in found["players"]} == {IMPORTED, HERS}

            await stack.eventually(is_whole, 30)
            eva = await _until_ordered(database, "o-1", "o-2", "o-3")
            assert eva["visitors"] == sorted([visitor, "phone", f"os:{IMPORTED}"])
            # No page can read of her browsers by the visitor that stands for her login.
            params = {"key": "wk_demo", "visitorId": visitor}
            view = (await client.get("/v1/profile", params=params)).json()["db"]
            assert view["affinityToOneSignalPlayerID"] == [] and HERS not in str(view)
            ended = await contents(database)
            code, output = await run_command(settings, "replay")
            assert code == 0, output
            assert await contents(database) == ended
