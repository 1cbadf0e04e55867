"""Grouped sends (one text for all, no caps): planned and dispatched against a bare cursor loop; memory.

The sender's side is everything from the trigger to the closed account: planning, release with its second
look at each player, calls to the sandbox (20 ms each), accounting; the loop only reads the profiles.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from shared.clock import utc_now
from shared.ids import slot_of
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.bench.measuring import report
from tests.bench.replica import APP, KEY, ONE_SIGNAL, seed
from tests.support import stack
from tests.support.carillon import campaign

LATENCY_MS = 20
FEW = 10_000
MANY = int(os.environ.get("BENCH_PLAYERS", "200000"))
INSERTED = 1_000  # documents an insert
CLOSED_SECONDS = 1_800


@dataclass(frozen=True)
class PlannerBenchmark:
    database: Database
    sandbox: httpx.AsyncClient
    ops: httpx.AsyncClient
    sender: psutil.Process
    settings: Settings


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as servers:
        async with _running(Path(folder), servers) as bench:
            await _people(bench, 0, FEW)
            await _send(bench, FEW)  # warm: connections, templates, the groups' first members
            bare = await _cursor_loop(bench, FEW)
            rate, few_grew = await _send(bench, FEW)
            report(
                f"grouped, {FEW:,} players, trigger to closed account: {rate:,.0f} players/s, bare cursor"
                f" loop {bare:,.0f} profiles/s: {rate / bare:.2f} (aim: 0.5)"
            )
            await _people(bench, FEW, MANY)
            bare = await _cursor_loop(bench, MANY)
            rate, many_grew = await _send(bench, MANY)
            report(
                f"grouped, {MANY:,} players: {rate:,.0f} players/s, bare cursor loop {bare:,.0f}"
                f" profiles/s: {rate / bare:.2f} (aim: 0.5)"
            )
            report(
                f"memory of the whole sender at its highest: {MANY:,} players"
                f" {(many_grew - few_grew) / 2**20:.1f} MiB more than {FEW:,} (aim: 20)"
            )


@asynccontextmanager
async def _running(folder: Path, servers: ExitStack) -> AsyncIterator[PlannerBenchmark]:
    broker = servers.enter_context(stack.broker())
    database = servers.enter_context(stack.database(folder / "database"))
    port = stack.free_port()
    command = [sys.executable, "-m", "deploy.local.sandbox", f"--port={port}", f"--data={folder}"]
    sandbox = servers.enter_context(stack.Server(command, port))
    settings = stack.settings_for(broker.address, f"mongodb://{database.address}", folder)
    await seed(settings, plan="paid")
    environment = {
        **stack.environment(settings),
        "CARILLON_LOG_LEVEL": "WARNING",
        "CARILLON_ONESIGNAL__BASE_URL": f"http://{sandbox.address}",
    }
    script = [sys.executable, "-m", "sender_service"]
    sender = stack.Server(script, settings.sender.port, environment)
    token = {"Authorization": f"Bearer {settings.ops.token.get_secret_value()}"}
    async with (
        open_database(settings.mongo, "bench") as opened,
        httpx.AsyncClient(base_url=f"http://{sandbox.address}", timeout=600) as http,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{settings.sender.port}", headers=token, timeout=60
        ) as ops,
    ):
        await ensure_indexes(opened, INGEST)
        app = {"rest_api_key": KEY, "plan": "paid"}
        (await http.put(f"/sandbox/apps/{ONE_SIGNAL}", json=app)).raise_for_status()
        (await http.put("/sandbox/faults", json={"latency_ms": LATENCY_MS})).raise_for_status()
        servers.enter_context(sender)
        bench = PlannerBenchmark(opened, http, ops, psutil.Process(sender.pid), settings)
        await stack.eventually(lambda: _is_ready(bench), 60)
        path = f"/v1/apps/{APP}/campaigns/hello"
        (await ops.put(path, json=campaign())).raise_for_status()
        yield bench


async def _is_ready(bench: PlannerBenchmark) -> bool:
    return (await bench.ops.get("/health/ready")).status_code == 200


async def _people(bench: PlannerBenchmark, first: int, last: int) -> None:
    """Register people with the sandbox, and store them as the projector leaves them."""
    for start in range(first, last, INSERTED):
        quiet = {"display": 0, "click": 0, "close": 0}
        body = {"app_id": ONE_SIGNAL, "count": INSERTED, "odds": quiet}
        players = (await bench.sandbox.post("/sandbox/browsers", json=body)).json()["ids"]
        people = [_person(start + n, player) for n, player in enumerate(players)]
        await bench.database["profiles"].insert_many([profile for profile, _ in people])
        await bench.database["players"].insert_many([player for _, player in people])


def _person(number: int, player: str) -> tuple[dict[str, Any], dict[str, Any]]:
    name, now = f"{number:032x}", utc_now() - timedelta(days=1)
    seen = {
        "id": player,
        "state": "subscribed",
        "browser": "Chrome",
        "proven": False,
        "lastSeenAt": now,
    }
    profile = {
        "_id": name, "app": APP, "slot": slot_of(name), "login": None, "email": None,
        "visitors": [f"v{number}"], "pastVisitors": [], "aliases": [], "players": [seen],
        "proven": False, "unproven": [],
        "db": {}, "lastSeenAt": now, "timeZone": "Europe/Prague", "language": "cs",
        "browser": "Chrome", "viewed": [], "categories": [], "basket": None, "purchases": [],
        "changedAt": now, "rev": 1,
    }  # fmt: skip
    ledger: dict[str, Any] = {
        "_id": player, "app": APP, "person": name, "previous": [], "visitor": f"v{number}",
        "state": "subscribed", "reason": None, "since": now, "sdk": "16", "browser": "Chrome",
        "lastSeenAt": now, "changedAt": now, "rev": 1,
    }  # fmt: skip
    return profile, ledger


async def _cursor_loop(bench: PlannerBenchmark, count: int) -> float:
    began, read = time.perf_counter(), 0
    async for _ in bench.database["profiles"].find({"app": APP}):
        read += 1
    assert read == count
    return read / (time.perf_counter() - began)


async def _send(bench: PlannerBenchmark, count: int) -> tuple[float, float]:
    """Players a second until the account is closed; the sender's highest resident bytes meanwhile."""
    body = {"id": str(uuid.uuid4()), "app": APP, "campaign": "hello", "audience": {"all": True}}
    began, highest = time.perf_counter(), 0.0
    (await bench.ops.post("/v1/sends", json=body)).raise_for_status()

    async def closed() -> Any:
        nonlocal highest
        highest = max(highest, float(bench.sender.memory_info().rss))
        send = await bench.database["sends"].find_one(
            {"_id": body["id"]}, {"totals": 1, "error": 1}
        )
        assert send is None or not send["error"], send
        return send is not None and send["totals"]

    totals = await stack.eventually(closed, CLOSED_SECONDS, every=0.1)
    assert totals["sent"] == count, totals
    return count / (time.perf_counter() - began), highest
