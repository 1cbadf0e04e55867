"""Snapshots and replays on real servers: rebuilt beside the live collections, equal, with the API up."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest_service.projector.person_ids import PersonIds
from ingest_service.snapshot.files import readable_snapshots
from ingest_service.snapshot.take import folder_of
from shared.events.registry import ERASE
from shared.kafka.client import open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.models.event import Event
from shared.secrets import Vault
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.shop_day import (
    PLAYERS,
    contents,
    publish_shop_day,
    until_projected,
)
from tests.support import stack
from tests.support.ingest_process import (
    client_of,
    seeded,
    until,
    until_known,
)


async def test_replay_ends_equal_while_the_api_is_up(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                code, output = await run_command(alone, "snapshot")
                assert code == 0, output
                await publish_shop_day(client, 2)
                await until_projected(database, 4)
                before = await contents(database)
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                assert "0 documents differ" in output
                assert await contents(database) == before
                await publish_shop_day(client, 4)  # and the projector goes on
                await until_projected(database, 6)
                await until_known(client, "v5", PLAYERS[5])
                staged = [n for n in await database.list_collection_names() if "replay_" in n]
                assert staged == []


async def test_replay_repairs_what_was_damaged(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                before = await contents(database)
                for path, _ in readable_snapshots(folder_of(alone)):
                    path.unlink()
                await database["profiles"].update_many({}, {"$set": {"email": "wrong"}})
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                assert await contents(database) == before


async def test_replay_refuses_another_log(alone: Settings, fresh_broker: stack.Server) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
        code, output = await run_command(alone, "snapshot")
        assert code == 0, output
        before = await contents(database)
        with stack.broker() as other:
            kafka = alone.kafka.model_copy(update={"bootstrap_servers": other.address})
            code, output = await run_command(alone.model_copy(update={"kafka": kafka}), "replay")
        assert code == 2 and "another" in output, output
        assert await contents(database) == before


async def test_replay_goes_on_from_the_log_before_where_its_snapshot_was_final(
    alone: Settings,
) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
        code, output = await run_command(alone, "snapshot", "--final")
        assert code == 0, output
        with stack.broker() as other:
            kafka = alone.kafka.model_copy(update={"bootstrap_servers": other.address})
            after = alone.model_copy(update={"kafka": kafka})
            with stack.service("ingest_service", after) as server:
                async with client_of(server) as client:
                    await until(client, 200, "ready")
                    await publish_shop_day(client, 2)
                    await until_projected(database, 4)
                    before = await contents(database)
                    for path, header in readable_snapshots(folder_of(alone)):
                        if not header.final:  # the keeper's own, of the new log
                            path.unlink()
                    code, output = await run_command(after, "replay")
                    assert code == 0, output
                    assert await contents(database) == before


async def test_erased_person_leaves_snapshots_too(alone: Settings) -> None:
    people = PersonIds(Vault(alone.secret_key.get_secret_value()).derive("person"))
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                assert (await run_command(alone, "snapshot"))[0] == 0
                await erase(alone, people.of_login("demo", "eva"), "v0", "v1")

                async def is_gone() -> bool:
                    profile = await database["profiles"].find_one({"login": "eva"})
                    headers = [header for _, header in readable_snapshots(folder_of(alone))]
                    return profile is None and all(h.erasures for h in headers)

                await stack.eventually(is_gone, 30)
                before = await contents(database)
                code, output = await run_command(alone, "snapshot")
                assert code == 0, output
                code, output = await run_command(alone, "replay")
                assert code == 0, output
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
