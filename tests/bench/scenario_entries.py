"""Entries: people enter by moments, against a plain `insert_many` of the same runs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sender_service.context import SenderContext
from sender_service.scenarios.entries import Entries
from sender_service.store.run_codec import encode_run
from sender_service.wiring import open_sender
from shared.clock import utc_now
from shared.kafka.records import Record
from shared.kafka.topics import MOMENTS_TOPIC
from shared.models.facts import BasketChanged, FactLine
from shared.models.person_moment import PersonMoment, dump_moment
from shared.mongo.client import ensure_indexes, index_model
from shared.mongo.collections import INGEST, PROFILES, RUNS, SENDER
from shared.stage.runner import Item
from tests.bench.measuring import report
from tests.bench.scenario_people import basket_profile, name_of
from tests.support import stack
from tests.support.builders import build_app
from tests.support.scenarios import read_scenario

APP = "demo"
BASKET = {
    "name": "Basket", "enabled": True, "enter": {"on": "basket"},
    "steps": [{"id": "hour", "campaign": "basket-1", "after": {"minutes": 60}}],
    "until": ["bought", "emptied"],
}  # fmt: skip
ENTRIES = int(os.environ.get("BENCH_ENTRIES", "5000"))
A_BATCH = 500  # moments, as the stage takes them
PLAIN = "plain_runs"


async def measure_entries(folder: Path) -> None:
    """Let people enter, batch by batch, in turns with the insert of as many runs."""
    with stack.broker() as broker, stack.database(folder) as server:
        settings = stack.settings_for(broker.address, f"mongodb://{server.address}", folder)
        async with open_sender(settings) as sender:
            context = sender.context
            for service in (INGEST, SENDER):
                await ensure_indexes(context.database, service)
            plain = context.database[PLAIN]
            await plain.create_indexes([index_model(one) for one in RUNS.indexes])
            context.apps.take([build_app(APP)])
            long_ago = utc_now() - timedelta(days=30)
            await context.stores.scenarios.put(read_scenario(BASKET), long_ago)
            await _measure(context, "histories of all", 0)
            await context.stores.histories.halve(APP, 1.0)
            await context.stores.histories.halve(APP, 0.5)
            await context.stores.histories.halve(APP, 0.25)
            await _measure(context, "of an eighth, as of 100,000 people", ENTRIES)


async def _measure(context: SenderContext, sample: str, first: int) -> None:
    entries = Entries.of(context)
    took = plain = 0.0
    for start in range(first, first + ENTRIES, A_BATCH):
        numbers = range(start, start + A_BATCH)
        took += await _enter(context, entries, numbers)
        plain += await _insert(context, numbers)
    report(
        f"entries, {A_BATCH} moments a batch, {sample}: {ENTRIES / took:,.0f} runs/s, `insert_many`"
        f" of the same runs {ENTRIES / plain:,.0f}/s: {plain / took:.2f} (aim: 0.5)"
    )


async def _enter(context: SenderContext, entries: Entries, numbers: Sequence[int]) -> float:
    """Return the seconds in which the people of these numbers enter."""
    now = utc_now()
    profiles = [dict(basket_profile(number, APP, now)) for number in numbers]
    await context.database[PROFILES.name].insert_many(profiles)
    record = Record(MOMENTS_TOPIC.name, 0, 0, b"", b"", "", 0)
    items = []
    for number in numbers:
        lines = [FactLine("kettle", 1, 20.0)]
        fact = BasketChanged(f"e{number}", now, items=lines, total=20.0, currency="EUR")
        value = dump_moment(APP, name_of(number), [fact], seen_at=now, zone=None, subscribed=1)
        items.append(Item(record, PersonMoment.parse(value)))
    began = time.perf_counter()
    await entries.handle(items)
    return time.perf_counter() - began


async def _insert(context: SenderContext, numbers: Sequence[int]) -> float:
    """Return the seconds in which their runs are inserted again, elsewhere."""
    ids = [f"{APP}:basket:{name_of(number)}:1" for number in numbers]
    runs = list((await context.stores.runs.get(ids)).values())
    assert len(runs) == len(ids)
    documents = list(map(encode_run, runs))
    began = time.perf_counter()
    await context.database[PLAIN].insert_many(documents, ordered=False)
    return time.perf_counter() - began
