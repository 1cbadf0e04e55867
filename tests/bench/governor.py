"""The governor over three replicas: how much of the limit is used, and that it is never passed.

150 a second: three processes with the sender's own governor and OneSignal client, sharing by the database's
counters, call the sandbox as fast as they are let; in the second minute one is killed and, later,
another joins. 6,000 a second: the same classes on a simulated clock, with clocks that differ.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import uuid
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from sender_service.dispatcher.governor import Governor, Membership
from sender_service.store.limits import ReplicaStore
from shared.clock import Monotonic
from shared.models.app import App
from shared.mongo.client import Database
from shared.settings import GovernorSettings
from tests.bench.measuring import report
from tests.bench.replica import APP, KEY, ONE_SIGNAL, seed
from tests.support import stack
from tests.support.providers import ONESIGNAL
from tests.support.virtual_time import VirtualLoop, in_virtual_time

FREE, PAID = 150, 6_000
PLAYERS = 5_000  # enough that 10 messages each are not reached in 15 minutes
REPLICAS = 3
WARM_UP_SECONDS = 12
KILL_AT, JOIN_AT, MINUTE = 15, 30, 60


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as servers:
        await _real(Path(folder), servers)
    # On a thread: a loop of simulated time can't run inside one of the real.
    for name, used, peak in await asyncio.to_thread(in_virtual_time, _simulated):
        report(
            f"{PAID:,} a second, simulated clock, {name}: {used:.0%} of the limit, at most {peak:,} in"
            f" a sliding second"
        )


async def _real(folder: Path, servers: ExitStack) -> None:
    database = servers.enter_context(stack.database(folder / "database"))
    port = stack.free_port()
    command = [sys.executable, "-m", "deploy.local.sandbox", f"--port={port}", f"--data={folder}"]
    sandbox = servers.enter_context(stack.Server(command, port))
    settings = stack.settings_for("127.0.0.1:1", f"mongodb://{database.address}", folder)
    await seed(settings, plan="free")
    environment = {
        **stack.environment(settings),
        "CARILLON_ONESIGNAL__BASE_URL": f"http://{sandbox.address}",
    }
    async with httpx.AsyncClient(base_url=f"http://{sandbox.address}", timeout=30) as http:
        app = {"rest_api_key": KEY, "plan": "free"}
        (await http.put(f"/sandbox/apps/{ONE_SIGNAL}", json=app)).raise_for_status()
        quiet = {"display": 0, "click": 0, "close": 0}
        browsers = {"app_id": ONE_SIGNAL, "count": PLAYERS, "odds": quiet}
        (await http.post("/sandbox/browsers", json=browsers)).raise_for_status()

        def replica() -> stack.Server:
            own = stack.free_port()
            script = [sys.executable, "-m", "tests.bench.replica", str(own)]
            return servers.enter_context(stack.Server(script, own, environment))

        replicas = [replica() for _ in range(REPLICAS)]
        await asyncio.sleep(WARM_UP_SECONDS)
        before = await _tally(http)
        await asyncio.sleep(MINUTE)
        steady = await _tally(http)
        await asyncio.sleep(KILL_AT)
        replicas[0].kill()
        await asyncio.sleep(JOIN_AT - KILL_AT)
        replica()
        await asyncio.sleep(MINUTE - JOIN_AT)
        troubled = await _tally(http)
    for name, start, end, aim in (
        ("a steady minute", before, steady, 0.9),
        ("one replica killed, another joins", steady, troubled, 0.8),
    ):
        used = (end["calls"] - start["calls"]) / (FREE * MINUTE)
        report(
            f"{FREE} a second, {REPLICAS} replicas, {name}: {used:.0%} of the limit (aim: {aim:.0%})"
        )
    report(
        f"at most {troubled['peak_per_second']} in a sliding second of the sandbox's;"
        f" answered 429: {troubled['answers'].get('429', 0)} of {troubled['calls']:,}"
    )


async def _tally(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/sandbox/tally", params={"app_id": ONE_SIGNAL, "summary": "1"})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


class Counters:
    """Queries of the replicas' collection, with the time that a server takes."""

    def __init__(self) -> None:
        self._replicas: dict[str, dict[str, Any]] = {}
        self._dice = random.Random(7)

    def __getitem__(self, name: str) -> Counters:
        return self

    async def update_one(self, query: Any, update: Any, upsert: bool) -> None:
        await self._take_time()
        self._replicas[query["_id"]] = {**query, **update["$set"]}

    async def delete_one(self, query: Any) -> None:
        await self._take_time()
        self._replicas.pop(query["_id"], None)

    async def find(self, query: Any) -> AsyncIterator[dict[str, Any]]:
        await self._take_time()
        for replica in list(self._replicas.values()):
            yield replica

    async def _take_time(self) -> None:
        await asyncio.sleep(self._dice.uniform(0.001, 0.02))


async def _simulated(loop: VirtualLoop) -> list[tuple[str, float, int]]:
    counters, calls = Counters(), list[float]()
    started = [_simulate(loop, counters, calls, skew) for skew in (0.0, 3_600.0, 12.5)]
    await asyncio.sleep(WARM_UP_SECONDS)
    results = []
    for name, troubled in (("a steady minute", False), ("one killed, another joins", True)):
        first = len(calls)
        if troubled:
            await asyncio.sleep(KILL_AT)
            started[0].cancel()
            await asyncio.sleep(JOIN_AT - KILL_AT)
            started.append(_simulate(loop, counters, calls, 77.0))
            await asyncio.sleep(MINUTE - JOIN_AT)
        else:
            await asyncio.sleep(MINUTE)
        of_minute = calls[first:]
        used = len(of_minute) / (PAID * MINUTE)
        results.append((name, used, _most_in_a_second(of_minute)))
    for replica in started:
        replica.cancel()
    await asyncio.gather(*started, return_exceptions=True)
    return results


def _simulate(
    loop: VirtualLoop, counters: Counters, calls: list[float], skew: float
) -> asyncio.Task[None]:
    """Start a replica whose clock is wrong by `skew` seconds; it dies when its task is cancelled."""

    def clock() -> float:
        return loop.time() + skew

    settings = GovernorSettings()
    database: Database = counters  # type: ignore[assignment]
    membership = Membership(ReplicaStore(database), str(uuid.uuid4()), settings, clock)
    governor = Governor(membership, settings, clock)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_beat(membership, settings.heartbeat_seconds))
            for _ in range(8):
                group.create_task(_call(governor, calls, loop.time))

    return asyncio.create_task(run())


async def _beat(membership: Membership, seconds: float) -> None:
    while True:
        await membership.beat()
        await asyncio.sleep(seconds)


async def _call(governor: Governor, calls: list[float], time: Monotonic) -> None:
    one_signal = {"appId": ONE_SIGNAL, "restApiKey": "", "plan": "paid"}
    app = App.model_validate({"_id": APP, "name": "b", "version": 1, "oneSignal": one_signal})
    while True:
        if await governor.acquire(app, ONESIGNAL, transactional=False, within=5.0):
            calls.append(time())


def _most_in_a_second(times: list[float]) -> int:
    return max((bisect_left(times, t + 1 - 1e-6) - i for i, t in enumerate(times)), default=0)
