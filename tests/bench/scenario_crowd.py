"""A crowd: all runs of a scenario are due at once, on make run's stack."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from sender_service.models.scenario.run import Entry, Run
from sender_service.store.run_codec import encode_run
from shared.clock import utc_now
from shared.kafka.client import open_log_writer
from shared.kafka.topics import DELIVERIES_TOPIC
from shared.mongo.client import Database, open_database
from shared.mongo.collections import RUNS
from shared.settings import KafkaSettings, MongoSettings
from tests.bench.measuring import report
from tests.bench.scenario_people import basket_profile, name_of
from tests.bench.scenario_probes import PROBE, SCENARIO, ProbePerson, Probes
from tests.support.carillon import Carillon, Shop
from tests.support.documents import store_people
from tests.support.stack import eventually

LATENCY_MS = 20
CROWD = int(os.environ.get("BENCH_RUNS", "100000"))
STORED = 1_000  # at once
STORED_A_SECOND = 1_000  # runs, at least
PROBES = 100  # people
IDLE_SECONDS = 30.0
RELEASED_SECONDS = 1_800.0
MIB = 1024 * 1024
QUIET = {"display": 0, "click": 0, "close": 0}


async def measure_crowd(folder: Path) -> None:
    """Report what a crowd takes, and what others wait for meanwhile; each also without it."""
    async with _open_crowd(folder) as crowd:
        await crowd.store_people()
        due = await crowd.store_runs()
        idle = await crowd.probes.run_for(IDLE_SECONDS)
        await asyncio.sleep(max(0.0, (due - utc_now()).total_seconds()))
        over = asyncio.Event()
        probing = asyncio.create_task(crowd.probes.run_until(over))
        taken = await crowd.release_all(due)
        over.set()
        meanwhile = await probing
        plain = await crowd.send_plainly()
    report(
        f"{CROWD:,} runs due at once, to the last push: {taken.seconds / 60:.1f} min (aim: 5 for"
        f" 100,000), {taken.seconds / plain:.1f} times a plain send to the same people; claimed"
        f" {CROWD / taken.claimed:,.0f}/s (aim: 350); sender {taken.grown:.0f} MiB more (aim: 50)"
    )
    _report_waits("transactional push of one", 300, idle.push, meanwhile.push)
    _report_waits("moment to run", 500, idle.entry, meanwhile.entry)
    _report_waits("purchase to exit", 500, idle.exit, meanwhile.exit)


@dataclass(frozen=True)
class Taken:
    """Seconds until all were claimed, until all were pushed; MiB by which the sender grew."""

    claimed: float
    seconds: float
    grown: float


@dataclass
class Crowd:
    carillon: Carillon
    shop: Shop
    database: Database
    probes: Probes

    async def store_people(self) -> None:
        """Register people with the sandbox, and store them as the projector leaves them."""
        for first in range(0, CROWD, STORED):
            count = min(STORED, CROWD - first)
            body = {"app_id": self.shop.one_signal, "count": count, "odds": QUIET}
            players = (await self.carillon.sandbox("POST", "/sandbox/browsers", json=body))["ids"]
            now = utc_now()
            people = [
                basket_profile(first + n, self.shop.app, now, [player])
                for n, player in enumerate(players)
            ]
            await store_people(self.database, *people)

    async def store_runs(self) -> datetime:
        """Store a run of each that waits for its first step; return when all are due."""
        app = self.shop.app
        minutes = math.ceil((CROWD / STORED_A_SECOND + IDLE_SECONDS) / 60)
        body = {
            "name": "Crowd", "enabled": True, "enter": {"on": "basket"},
            "steps": [{"id": "one", "campaign": "hello", "after": {"minutes": minutes}}],
            "until": ["bought", "emptied"],
        }  # fmt: skip
        await self.carillon.ops("PUT", f"/v1/apps/{app}/scenarios/crowd", json=body)
        entered = utc_now() + timedelta(seconds=1)
        due = entered + timedelta(minutes=minutes)
        runs = self.database[RUNS.name]
        for first in range(0, CROWD, STORED):
            numbers = range(first, min(CROWD, first + STORED))
            await runs.insert_many(
                [encode_run(_run(app, number, entered, due)) for number in numbers]
            )
        assert utc_now() < due, "storing the runs took too long"
        return due

    async def release_all(self, due: datetime) -> Taken:
        """Wait until the whole crowd is pushed."""
        sender = psutil.Process(self.carillon.pid("sender_service"))
        before = highest = sender.memory_info().rss
        claimed = 0.0
        until = time.monotonic() + RELEASED_SECONDS
        while True:
            highest = max(highest, sender.memory_info().rss)
            seconds = (utc_now() - due).total_seconds()
            if not claimed and seconds > 10 and not await self._are_due():
                claimed = seconds
            if claimed and await self._pushed() >= CROWD:
                return Taken(claimed, seconds, (highest - before) / MIB)
            assert time.monotonic() < until
            await asyncio.sleep(0.5)

    async def send_plainly(self) -> float:
        """Return the seconds of a plain send to everybody."""
        before = await self._pushed()
        began = time.perf_counter()
        await self.carillon.trigger(self.shop, audience={"all": True})

        async def is_pushed() -> bool:
            return await self._pushed() >= before + CROWD

        await eventually(is_pushed, RELEASED_SECONDS, every=0.5)
        return time.perf_counter() - began

    async def _are_due(self) -> bool:
        answer = await self.carillon.http.get(self.carillon.url("sender", "/metrics"))
        name = f'carillon_runs_due{{app="{self.shop.app}"}} '
        (due,) = (line for line in answer.text.splitlines() if line.startswith(name))
        return float(due.removeprefix(name)) > 0

    async def _pushed(self) -> int:
        """Return to how many a push was accepted, without the probes' (but for those under way)."""
        path = f"/sandbox/tally?app_id={self.shop.one_signal}&summary=1"
        tally = await self.carillon.sandbox("GET", path)
        return int(tally["totals"]["pushes"]) - self.probes.delivered


@asynccontextmanager
async def _open_crowd(folder: Path) -> AsyncIterator[Crowd]:
    carillon = Carillon(folder)
    carillon.more_env = {"CARILLON_LOG_LEVEL": "WARNING"}
    await carillon.start()
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{carillon.ports['broker']}")
    mongo = MongoSettings(uri=SecretStr(f"mongodb://127.0.0.1:{carillon.ports['database']}"))
    deliveries = AIOKafkaConsumer(DELIVERIES_TOPIC.name, bootstrap_servers=kafka.bootstrap_servers)
    try:
        await deliveries.start()
        async with open_database(mongo, "bench") as database, open_log_writer(kafka, "b") as writer:
            shop = await carillon.open_shop("paid", quietHours=False, timeZone="Europe/Prague")
            path = f"/v1/apps/{shop.app}/scenarios/{SCENARIO}"
            await carillon.ops("PUT", path, json=PROBE)
            await carillon.sandbox("PUT", "/sandbox/faults", json={"latency_ms": LATENCY_MS})
            players = await carillon.register(shop, PROBES, odds=QUIET)
            people = await _probe_people(database, players)
            yield Crowd(
                carillon, shop, database,
                Probes(carillon, shop, database, writer, deliveries, people),
            )  # fmt: skip
    finally:
        await deliveries.stop()
        await carillon.stop()


async def _probe_people(database: Database, players: Sequence[str]) -> list[ProbePerson]:
    people = []
    for number, player in enumerate(players):
        found = await database["players"].find_one({"_id": player}, {"person": 1})
        assert found is not None
        people.append(ProbePerson(f"v{number}", found["person"], player))
    return people


def _run(app: str, number: int, entered: datetime, due: datetime) -> Run:
    return Run(
        app=app, scenario="crowd", person=name_of(number), version=1,
        entry=Entry(at=entered, event=f"e{number}", items=("kettle",)),
        step="one", basis=entered, due=due, again_days=7,
    )  # fmt: skip


def _report_waits(what: str, aim: int, idle: Sequence[float], meanwhile: Sequence[float]) -> None:
    alone, beside = _p99(idle), _p99(meanwhile)
    report(
        f"{what}, p99 meanwhile: {beside:.0f} ms of {len(meanwhile)} (aim: {aim}), idle {alone:.0f} ms"
        f" of {len(idle)}: {beside / alone:.1f} times"
    )


def _p99(seconds: Sequence[float]) -> float:
    """Return the 99th percentile in milliseconds."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1] * 1e3
