"""The sender on make run's stack (Tansu, SecantusDB, motor), the sandbox answering after 20 ms."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from shared.kafka.client import LogWriter, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.mongo.client import open_database
from shared.settings import KafkaSettings, MongoSettings
from tests.bench.measuring import cpu_seconds, report
from tests.support.carillon import Carillon, Shop, campaign
from tests.support.stack import eventually

LATENCY_MS = 20
PLAYERS = 2_000
CONNECTIONS = 64
BURST = 500
PACED_SECONDS = 10


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        carillon = Carillon(Path(folder))
        carillon.more_env = {"CARILLON_LOG_LEVEL": "WARNING"}
        await carillon.start()
        try:
            shop = await carillon.open_shop(plan="paid")
            quiet = {"display": 0, "click": 0, "close": 0}
            players = await carillon.register(shop, PLAYERS, odds=quiet)
            await carillon.sandbox("PUT", "/sandbox/faults", json={"latency_ms": LATENCY_MS})
            await _personalised(carillon, shop, players)
            address = f"127.0.0.1:{carillon.ports['broker']}"
            async with open_log_writer(KafkaSettings(bootstrap_servers=address), "bench") as writer:
                rate = await _transactional(carillon, shop, players, writer)
                await _latency(carillon, shop, players, writer, rate / 2)
        finally:
            await carillon.stop()


async def _personalised(carillon: Carillon, shop: Shop, players: Sequence[str]) -> None:
    """One call a person: the whole sender against a plain loop of calls on the same client."""
    body = campaign("For {{ name }}")
    await carillon.ops("PUT", f"/v1/apps/{shop.app}/campaigns/named", json=body)
    plain = await _plain_loop(carillon, players)
    recipients = [{"player": p, "variables": {"name": f"n{i}"}} for i, p in enumerate(players)]
    sender = psutil.Process(carillon.pid("sender_service"))
    cpu, began = cpu_seconds(sender), time.perf_counter()
    account = await carillon.closed(
        await carillon.trigger(shop, campaign="named", recipients=recipients), 300
    )
    took, cpu = time.perf_counter() - began, cpu_seconds(sender) - cpu
    assert account["sent"] == len(players), account
    rate = len(players) / took
    report(f"plain loop, httpx on aiohttp, {CONNECTIONS} connections: {plain:.0f} calls/s")
    report(
        f"personalised, trigger to closed account: {rate:.0f} calls/s, {rate / plain:.2f} of the"
        f" plain loop (aim: 0.5); all of the sender {cpu / len(players) * 1e6:.0f} µs CPU a call"
    )


async def _plain_loop(carillon: Carillon, players: Sequence[str]) -> float:
    other = await carillon.open_shop(plan="paid")
    await carillon.register(other, 10, odds={"display": 0, "click": 0, "close": 0})
    left = list(players)
    url = carillon.url("sandbox", "/notifications")
    headers = {"Authorization": f"Key os_v2_app_{other.app}"}
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(transport=AiohttpTransport(limits=limits), timeout=60) as http:

        async def worker() -> None:
            while left:
                payload = {
                    "app_id": other.one_signal,
                    "include_subscription_ids": [left.pop()],
                    "contents": {"en": "For you"},
                    "headings": {"en": "Shop"},
                    "idempotency_key": str(uuid.uuid4()),
                }
                (await http.post(url, json=payload, headers=headers)).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
        return len(players) / (time.perf_counter() - began)


async def _transactional(
    carillon: Carillon, shop: Shop, players: Sequence[str], writer: LogWriter
) -> float:
    """One-recipient transactional triggers, all at once: from produce to recorded delivery."""
    sends = [str(uuid.uuid4()) for _ in range(BURST)]
    sender = psutil.Process(carillon.pid("sender_service"))
    cpu, began = cpu_seconds(sender), time.perf_counter()
    await writer.publish(_trigger(shop, s, players[i]) for i, s in enumerate(sends))
    await _recorded(carillon, sends)
    took = time.perf_counter() - began
    used = (cpu_seconds(sender) - cpu) / BURST * 1e3
    for send in sends:  # what comes next is to find nothing of this under way
        await carillon.closed(send, 120)
    report(
        f"transactional, {BURST} at once: {BURST / took:.0f}/s from produce to recorded delivery"
        f" (aim: 100), sender {used:.1f} ms CPU each"
    )
    return BURST / took


async def _recorded(carillon: Carillon, sends: Sequence[str]) -> None:
    """Wait until each send's page has its outcomes.

    The database is asked: to ask the API for each would be more work for the sender than the
    pushes.
    """
    address = f"mongodb://127.0.0.1:{carillon.ports['database']}"
    left = set(sends)

    async def none_left() -> bool:
        some = sorted(left)[:100]
        query = {"_id": {"$in": [f"{send}:0" for send in some]}, "open": False}
        async for page in database["pages"].find(query, {"send": 1, "sums.sent": 1}):
            assert page["sums"]["sent"] == 1, page
            left.discard(page["send"])
        return not left

    async with open_database(MongoSettings(uri=SecretStr(address)), "bench") as database:
        await eventually(none_left, 300, every=0.05)


async def _latency(
    carillon: Carillon, shop: Shop, players: Sequence[str], writer: LogWriter, rate: float
) -> None:
    """Measure from produce to the sandbox's receipt, at half of the rate; both clocks are this
    machine's.
    """
    count = max(20, int(rate * PACED_SECONDS))
    produced: dict[str, float] = {}
    began = time.perf_counter()
    for i in range(count):
        await asyncio.sleep(max(0.0, began + i / rate - time.perf_counter()))
        send = str(uuid.uuid4())
        produced[send] = time.time()
        await writer.publish([_trigger(shop, send, players[i % len(players)])])
    for send in produced:
        await carillon.closed(send, 120)
    pushes = (await carillon.tally(shop))["pushes"]
    named = ((push["data"]["carillon"].split(".")[2], push["queued_at"]) for push in pushes)
    took = [(at - produced[send]) * 1e3 for send, at in named if send in produced]
    ordered = sorted(took)
    report(
        f"transactional at {rate:.0f}/s, produce to the sandbox's receipt:"
        f" median {statistics.median(ordered):.0f} ms,"
        f" p99 {ordered[int(len(ordered) * 0.99) - 1]:.0f} ms, of {len(ordered)} (aim: 300)"
    )


def _trigger(shop: Shop, send: str, player: str) -> OutgoingRecord:
    trigger: dict[str, Any] = {
        "id": send,
        "app": shop.app,
        "campaign": "hello",
        "priority": "transactional",
        "audience": {"players": [player]},
    }
    return OutgoingRecord("carillon.triggers", send, json.dumps(trigger).encode(), "trigger")
