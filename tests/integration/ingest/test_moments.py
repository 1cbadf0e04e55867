"""Moments on a real broker: of what is stored, repeated with their batch, none by imports and replays."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from shared.errors import LogUnavailable
from shared.kafka.client import open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.export_rows import HEADER, export_row
from tests.integration.ingest.moment_log import Found, moment_log
from tests.integration.ingest.shop_day import publish_events
from tests.support import stack
from tests.support.ingest_process import client_of, one_signal, seeded, until, until_known
from tests.support.projector_doubles import START, event, item


def page(visitor: str, thing: str, **data: Any) -> dict[str, Any]:
    return {"type": "pageview", "visitorId": visitor, "data": {"itemID": thing, **data}}


def is_new_enough(found: Found, thing: str) -> bool:
    """Check whether a moment's profile has the item that it viewed, and is as new."""
    moment, profile = found
    assert profile is not None and moment.seen_at is not None
    return profile["lastSeenAt"] >= moment.seen_at and thing in [
        one["item"] for one in profile["viewed"]
    ]


async def test_profile_is_at_least_as_new_as_its_moment(alone: Settings) -> None:
    async with seeded(alone) as database, moment_log(alone, database) as log:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                for number in range(20):
                    thing = f"shoe{number}"
                    await publish_events(client, page(f"v{number % 3}", thing, categoryID="shoes"))
                    await stack.eventually(partial(log.has, "viewed", item=thing), 20)
                    assert is_new_enough(log.found[-1], thing)
                await publish_events(
                    client, {"type": "identify", "visitorId": "v0", "data": {"login": "eva"}}
                )
                await stack.eventually(partial(log.has, "joined"), 20)
                moment, profile = log.found[-1]
                assert profile is not None and profile["login"] == "eva"
                assert [fact.kind for fact in moment.facts] == ["joined", "identified"]


async def test_import_and_replay_publish_nothing(alone: Settings, tmp_path: Path) -> None:
    player = str(uuid.uuid4())
    export = tmp_path / "users.csv"
    export.write_text(HEADER + export_row(player, login="eva"))
    async with seeded(alone) as database, moment_log(alone, database) as log:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                lines = [{"item": "shoe", "quantity": 1, "price": 5}]
                order = {"transaction": {"id": "o1", "revenue": 5}, "basketItems": lines}
                await publish_events(client, page("v1", "shoe", **order))
                await stack.eventually(partial(log.has, "bought", order="o1"), 20)
                before = log.kinds()
                code, output = await run_command(alone, "import", str(export), "--app", "demo")
                assert code == 0, output

                async def is_imported() -> bool:
                    return await database["players"].find_one({"_id": player}) is not None

                await stack.eventually(is_imported, 20)
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                await publish_events(client, one_signal("v2", player), page("v2", "last"))
                await until_known(client, "v2", player)
                await stack.eventually(partial(log.has, "viewed", item="last"), 20)
                for _ in range(3):  # partitions are fetched one by one
                    await log.read()
                assert log.kinds() == [*before, "viewed"]  # and the player isn't new


async def test_batch_whose_publication_is_in_doubt_repeats_its_moments(settings: Settings) -> None:
    batch = [
        item(event("pageview", "phone", 1, itemID="shoe")),
        item(event("identify", "phone", 2, login="eva")),
        item(event("purchase", "phone", 3, id="o1", items=[], revenue=5)),
    ]
    async with seeded(settings) as database, moment_log(settings, database) as log:
        await ensure_indexes(database, INGEST)
        async with open_log_writer(settings.kafka, "test") as writer:
            failures = ["answer lost", "away"]

            async def publish(records: Sequence[OutgoingRecord]) -> None:
                failure = failures.pop(0) if failures else None
                if failure != "away":
                    await writer.publish(records)
                if failure is not None:
                    raise LogUnavailable(failure)

            store = MongoProjections(database)
            people = PersonIds(b"key")
            projector = Projector(store, people, lambda: START, publish_moments=publish)
            for failure in ("answer lost", "away"):
                with pytest.raises(LogUnavailable, match=failure):
                    await projector.handle(batch)
            await projector.handle(batch)

        async def are_both_there() -> bool:
            return len(await log.read()) == 2

        await stack.eventually(are_both_there, 20)
    (first, _), (second, profile) = log.found
    assert first == second and first.person == people.of_login("demo", "eva")
    assert [fact.kind for fact in first.facts] == [
        "viewed", "joined", "identified", "bought", "basket",
    ]  # fmt: skip
    assert profile is not None and profile["rev"] == 1
