"""Backfill from a real broker: since a time, on a log that begins later, and while the broker is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from deploy.kafka.ports import free_port
from sender_service.context import SenderContext
from sender_service.models.scenario.backfill import Backfill
from sender_service.scenarios.backfiller import Backfiller
from sender_service.wiring import open_sender
from shared.clock import utc_now
from shared.errors import LogUnavailable
from shared.kafka.client import ensure_topics
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import MOMENTS_TOPIC, TOPICS
from shared.models.facts import BasketChanged, FactLine
from shared.models.person_moment import PersonMoment
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import SENDER
from tests.integration.sender.backfilled_shop import TOMORROW
from tests.integration.sender.entry_shop import BASKET
from tests.integration.sender.waker_harness import StillComponent
from tests.support import stack
from tests.support.builders import build_app
from tests.support.documents import build_profile, store_people
from tests.support.scenarios import read_scenario

LINES = [FactLine("tea", 1, 20.0)]
BASKET_OF = {"items": [{"item": "tea", "quantity": 1, "price": 20.0}], "total": 20.0, "since": None}


@pytest.fixture
async def context(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> AsyncIterator[SenderContext]:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    await ensure_topics(settings.kafka, TOPICS)
    async with open_sender(settings) as sender:
        await ensure_indexes(sender.context.database, SENDER)
        sender.context.apps.take([build_app()])
        yield sender.context


async def fill_basket(context: SenderContext, person: str, at: datetime) -> None:
    """Store a person with a basket, and publish its moment."""
    await store_people(context.database, build_profile(person, basket=BASKET_OF))
    fact = BasketChanged(f"e-{person}", at, LINES, total=20.0)
    moment = PersonMoment(app="demo", person=person, seen_at=at, subscribed=1, facts=[fact])
    value = orjson.dumps(moment.model_dump(mode="json", by_alias=True, exclude_none=True))
    await context.writer.publish([OutgoingRecord(MOMENTS_TOPIC.name, person, value, "moment")])


async def begin(context: SenderContext, since: datetime) -> Backfill:
    now = utc_now()
    found = await context.stores.scenarios.put(read_scenario({**BASKET, **TOMORROW}), now)
    asked = Backfill(
        app="demo", scenario=found.id, version=found.version, since=since, until=now,
        spread=timedelta(hours=1),
    )  # fmt: skip
    return await context.stores.backfills.begin(asked)


async def work(context: SenderContext, asked: Backfill) -> Backfill:
    await Backfiller.of(context).look(cast(Any, StillComponent()), asyncio.Event())
    found = await context.stores.backfills.get(asked.app, asked.n)
    assert found is not None
    return found


async def test_moments_of_the_log_since_a_time(context: SenderContext) -> None:
    await fill_basket(context, "ann", utc_now())
    middle = utc_now()
    await asyncio.sleep(0.01)  # the log counts in milliseconds
    for person in ("bea", "eva"):
        await fill_basket(context, person, utc_now())
    await context.writer.publish([OutgoingRecord(MOMENTS_TOPIC.name, "x", b"{", "moment")])
    later = await work(context, await begin(context, middle))
    assert (later.state, later.counts.entered, later.known_since) == ("done", 2, None)
    # The log begins with this test.
    asked = await begin(context, utc_now() - timedelta(days=3))
    done = await work(context, asked)
    assert (done.counts.entered, done.counts.refused) == (1, {"repeat": 2})
    assert done.known_since is not None and abs(done.known_since - middle) < timedelta(seconds=30)
    assert done.reached is not None and done.reached >= done.known_since


async def test_broker_that_is_away_is_waited_for(context: SenderContext) -> None:
    await fill_basket(context, "ann", utc_now())
    asked = await begin(context, utc_now() - timedelta(hours=1))
    nowhere = context.settings.kafka.model_copy(
        update={"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    )
    lost = replace(context, settings=context.settings.model_copy(update={"kafka": nowhere}))
    for _ in range(4):
        with pytest.raises(LogUnavailable):
            await work(lost, asked)
    left = await context.stores.backfills.get("demo", 1)
    assert left is not None and (left.state, left.tries) == ("waiting", 0)
    done = await work(context, asked)
    assert (done.state, done.counts.entered) == ("done", 1)
