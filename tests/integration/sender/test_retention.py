"""Retention by TTL: the indexes are there as they are declared, and what is written has its date."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.decide.progress import end_run
from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.simulation import Simulation
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.histories import HistoryStore
from sender_service.store.scenario_stores import open_scenario_stores
from shared.events.registry import ONESIGNAL_WEBHOOK, STREAM
from shared.kafka.topics import TRIGGERS_TOPIC
from shared.models.dead_letter import DeadLetter
from shared.models.event import Event
from shared.models.person_moment import PersonMoment
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import COLLECTIONS, INGEST, SENDER, CollectionSpec, Index
from shared.processes import ProcessHeartbeat
from tests.integration.sender.pipeline import OFFER, Pipeline, open_line
from tests.integration.sender.scenario_stores import firing
from tests.integration.sender.sender_harness import APP
from tests.integration.sender.two_replicas import TwoReplicas
from tests.unit.sender.scenario_builders import run_of, scenario, step

TTL = {c.name: i.keys[0][0] for c in COLLECTIONS for i in c.indexes if i.expires}


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda c: c.name)
async def test_indexes_are_on_the_server_as_declared(
    pair: TwoReplicas, collection: CollectionSpec
) -> None:
    database = pair.database
    for _ in range(2):  # as each start does
        for service in (INGEST, SENDER):
            await ensure_indexes(database, service)
    found = (await database[collection.name].index_information()).values()
    indexes = {tuple(index["key"]): index for index in found}
    indexes.pop((("_id", 1),), None)
    assert indexes.keys() == {index.keys for index in collection.indexes}
    for index in collection.indexes:
        assert_like(indexes[index.keys], index)


def assert_like(options: Any, index: Index) -> None:
    assert bool(options.get("unique")) is index.unique
    # At the date itself: whoever writes decides how long it is kept.
    assert options.get("expireAfterSeconds") == (0 if index.expires else None)


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


def event(line: Pipeline, type: str, player: str, **data: Any) -> Event:
    now = line.world.clock()
    return Event(
        app=APP, id=str(uuid.uuid4()), type=type, source="webhook", player_id=player,
        occurred_at=now, received_at=now, data={"playerID": player, **data},
    )  # fmt: skip


async def fill(line: Pipeline) -> str:
    """Write into each collection whose documents expire; return a send that is in its report."""
    world = line.world
    capped = {**OFFER, "policy": {"cap": {"count": 5, "days": 7}}}
    await line.ops("PUT", f"/v1/apps/{APP}/campaigns/welcome", json=capped)
    player, *_ = await line.people(2)
    done = await line.planned()
    assert await line.work() == 2
    (page,) = await line.pages(done)
    chunk = next(m[2] for m in page.members if m[0] == player)
    message = page.chunks[chunk].notification_id
    tag = {"carillon": world.tagger.sign(done, 0, chunk)}
    seen = {"kind": "click", "notificationId": message, "data": tag}
    await world.reported(event(line, ONESIGNAL_WEBHOOK, player, **seen))
    await world.rolled_up(done)
    early = {"kind": "received", "notificationId": str(uuid.uuid4()), "tag": ""}
    await world.reported(event(line, STREAM, player, **early))
    await line.people(1)  # who is written for the first time, where others are written again
    waiting = await line.planned()
    assert (await line.account_of(waiting))["pending"] == 3
    await line.ops(
        "POST", "/v1/sends",
        json={"id": str(uuid.uuid4()), "app": APP, "campaign": "welcome", "part": 1, "parts": 2,
              "recipients": [{"login": "p0"}]},
    )  # fmt: skip
    dead_letter = DeadLetter(
        id=str(uuid.uuid4()), stage="intake", topic=TRIGGERS_TOPIC.name, partition=0, offset=0, type="",
        key="", value="", code="invalid_json", message="", at=world.clock(),
    )  # fmt: skip
    await DeadLetterStore(world.database).put([dead_letter])
    ended = end_run(run_of(), "done", world.clock())
    stores = open_scenario_stores(world.database)
    await stores.runs.insert([ended])
    for body in (scenario(step()), scenario(step(), priority=60)):  # the first is replaced
        await stores.scenarios.put(body, world.clock())
    await stores.firings.insert(firing(expire_at=world.clock() + timedelta(days=90)))
    moment = PersonMoment(app=APP, person="p0", seen_at=world.clock(), subscribed=1, facts=[])
    await HistoryStore(world.database).add(APP, [moment], world.clock())
    span: dict[str, Any] = {
        "app": APP,
        "since": world.clock() - timedelta(days=1),
        "until": world.clock(),
    }
    await stores.simulations.begin(Simulation(**span, draft=scenario(step())))
    await stores.backfills.begin(
        Backfill(**span, scenario="basket", version=1, spread=timedelta(hours=1))
    )
    await ProcessHeartbeat(world.database, "sender-1", SENDER, ("ops",), world.clock).beat()
    return done


async def test_what_is_written_carries_the_date_of_its_end(line: Pipeline) -> None:
    done = await fill(line)
    database, now = line.world.database, line.world.clock()
    for name, field in TTL.items():
        query = {"rolledUp": True} if name == "sends" else {}  # before it, they stay
        documents = [d async for d in database[name].find(query)]
        assert documents, f"nothing is in {name}"
        for document in documents:
            assert isinstance(document[field], datetime), name
            assert now < document[field] < now + timedelta(days=401), name
    send = await database["sends"].find_one({"_id": done})
    assert send is not None
    ends = [
        d["expireAt"]
        for n in ("pages", "interactions")
        async for d in database[n].find({"send": done})
    ]
    assert set(ends) == {send["expireAt"]} and len(ends) > 1, "they go together"
    kept = send["expireAt"] - now
    assert kept > timedelta(milliseconds=TRIGGERS_TOPIC.retention_ms), (
        "else a replay would send again"
    )


async def test_no_send_goes_before_it_is_in_its_report(line: Pipeline) -> None:
    done = await fill(line)
    async for send in line.world.database["sends"].find({}):
        assert ("deleteAt" in send) is (send["_id"] == done)
