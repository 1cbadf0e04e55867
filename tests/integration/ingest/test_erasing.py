"""Erased, with everything that comes later from before: a browser on its way, an old export."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest_service.projector.person_ids import PersonIds
from shared.events.registry import ERASE
from shared.kafka.client import OutgoingRecord, open_log_writer
from shared.models.event import Event
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.conftest import alone
from tests.integration.ingest.export_rows import HEADER, export_row
from tests.integration.ingest.running import client_of, one_signal, seeded, until, until_known
from tests.integration.ingest.shop_day import contents, publish_events
from tests.support import stack

__all__ = ["alone"]
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
