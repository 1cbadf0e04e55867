"""Race: wakers of processes of their own are killed (SIGKILL) after each of a firing's writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import orjson
from aiokafka import TopicPartition

from sender_service.models.decide.progress import begin_run
from sender_service.models.scenario.run import Entry
from sender_service.opening import open_context
from sender_service.scenarios.waker import Waker
from shared.clock import utc_now
from shared.kafka.client import ensure_topics
from shared.kafka.scan import open_scanner, partitions_of, scan
from shared.kafka.topics import TOPICS, TRIGGERS_TOPIC
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import INGEST, SENDER
from shared.settings import KafkaSettings, Settings
from tests.integration.sender.waker_harness import MISSED_BEATS, GivenKnowledge, StillComponent
from tests.support.builders import build_app
from tests.support.documents import build_profile, store_people
from tests.support.stack import environment
from tests.unit.sender.scenario_builders import HOUR, person_with, rules_of, scenario

# A firing's writes, each with the state that it is left in, and whether its step is claimed.
WRITES = {
    "insert": ("open", False), "claim": ("open", True),
    "set_claimed": ("claimed", True), "publish": ("claimed", True),
}  # fmt: skip
PEOPLE = ("ann", "bob")
CHILD_SECONDS = 60.0


async def test_race_kill_9_after_each_of_a_firings_writes(settings: Settings) -> None:
    await ensure_topics(settings.kafka, TOPICS)
    async with open_context(settings) as context:
        for service in (INGEST, SENDER):
            await ensure_indexes(context.database, service)
        for write in WRITES:
            await _begin_runs(context, f"shop-{write}")
        children = {write: _start(settings, write) for write in WRITES}
        for write, child in children.items():
            assert child.wait(CHILD_SECONDS) == -signal.SIGKILL, write
        found = context.database["firings"].find({})
        left = {one["app"]: one["state"] async for one in found}
        claimed = await context.database["runs"].distinct("app", {"pushes": {"$ne": []}})
        for write, (state, is_claimed) in WRITES.items():
            app = f"shop-{write}"
            assert (left[app], app in claimed) == (state, is_claimed), write
        published = await _published(settings.kafka)
        assert {one["app"] for one in published} == {"shop-publish"}
        await _replace_the_dead(context)
        firings = [one async for one in context.database["firings"].find({})]
        assert [one["state"] for one in firings] == ["handed"] * len(WRITES)
        published = await _published(settings.kafka)
    of_app = {one["app"]: one for one in published}
    assert len(of_app) == len(WRITES)
    for trigger in published:
        assert trigger == of_app[trigger["app"]], "one that was published again is the same"
        assert sorted(r["person"] for r in trigger["recipients"]) == _people(trigger["app"])
    async with open_context(settings) as context:
        for app in of_app:
            runs = await context.stores.runs.of_people(app, _people(app))
            assert [len(run.pushes) for of in runs.values() for run in of] == [1] * len(PEOPLE)


def _people(app: str) -> list[str]:
    return [f"{app}-{name}" for name in PEOPLE]


async def _begin_runs(context: Any, app: str) -> None:
    """Begin runs whose first step is due."""
    now = utc_now()
    put = scenario(app=app, until=())
    own = await context.stores.scenarios.put(put, now - timedelta(days=1))
    entry = Entry(at=now - HOUR, event="e-1", items=("tea",))
    run = begin_run(person_with(), entry, now - timedelta(seconds=1), rules_of(own))
    profiles = [build_profile(person, app, lastSeenAt=now - HOUR) for person in _people(app)]
    await store_people(context.database, *profiles)
    await context.stores.runs.insert([replace(run, person=one) for one in _people(app)])


def _start(settings: Settings, write: str) -> subprocess.Popen[bytes]:
    module = "tests.integration.sender.killed_waker"
    command = [sys.executable, "-m", module, write, f"shop-{write}"]
    return subprocess.Popen(command, env=environment(settings))


async def _replace_the_dead(context: Any) -> None:
    """Let a waker see the apps, and again when none of their leases was renewed for long enough."""
    passed = 0.0
    context.apps.take([build_app(f"shop-{write}") for write in WRITES])
    waker = Waker.of(replace(context, monotonic=lambda: passed), GivenKnowledge())
    await waker.look(cast(Any, StillComponent()))
    assert len(await _open(context)) == len(WRITES), "their processes may be alive"
    passed = MISSED_BEATS
    await waker.look(cast(Any, StillComponent()))


async def _open(context: Any) -> list[Any]:
    unfinished = context.database["firings"].find({"state": {"$in": ["open", "claimed"]}})
    return [one async for one in unfinished]


async def _published(kafka: KafkaSettings) -> list[dict[str, Any]]:
    """Return all triggers of these apps that the topic has."""
    places = partitions_of([TRIGGERS_TOPIC])
    async with open_scanner(kafka, None) as reader:
        ends = await reader.end_offsets([TopicPartition(*place) for place in places])
    until = {(place.topic, place.partition): end for place, end in ends.items()}
    records = [one async for batch in scan(kafka, {}, until) for one in batch]
    triggers = [orjson.loads(record.value) for record in records if record.type == "trigger"]
    return [one for one in triggers if one["app"] in {f"shop-{write}" for write in WRITES}]
