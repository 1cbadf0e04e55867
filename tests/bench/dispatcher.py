"""The dispatcher alone: jobs that lie on the topic → calls → deliveries, the sandbox answering after 20 ms.

Its side includes reading and committing, the governor with its heartbeat, the call, the answer's
outcome, and the acknowledged delivery; the plain loop only calls, on the same HTTP client.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
from aiokafka import AIOKafkaConsumer
from httpx_aiohttp import AiohttpTransport

from shared.clock import utc_now
from shared.ids import idempotency_key
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import DELIVERIES_TOPIC, MARKETING_JOBS_TOPIC, TOPICS
from shared.models.job import Job
from shared.settings import Settings
from tests.bench.measuring import cpu_seconds, report
from tests.bench.replica import APP, KEY, ONE_SIGNAL, seed
from tests.support import stack

LATENCY_MS = 20
CALLS = 2_000
ROUNDS = 3  # in turns; the median counts
CONNECTIONS = 64


@dataclass(frozen=True)
class DispatcherBenchmark:
    settings: Settings
    http: httpx.AsyncClient
    writer: LogWriter
    deliveries: AIOKafkaConsumer
    process: psutil.Process
    players: Sequence[str]


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with _running(Path(folder)) as bench:
            await _dispatch(bench, 200)  # it has joined its group by then
            await _plain(bench, 200)
            ours, cpu, plain = [], [], []
            for _ in range(ROUNDS):
                rate, used = await _dispatch(bench, CALLS)
                ours.append(rate)
                cpu.append(used)
                plain.append(await _plain(bench, CALLS))
    ratio = statistics.median(ours) / statistics.median(plain)
    report(
        f"personalised, one call a person: {statistics.median(ours):.0f} calls/s, plain loop on httpx"
        f" with aiohttp's transport, {CONNECTIONS} connections: {statistics.median(plain):.0f}:"
        f" {ratio:.2f} (aim: 0.5)"
    )
    report(f"dispatcher's CPU a call: {statistics.median(cpu) * 1e6:.0f} µs (aim: 400)")


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[DispatcherBenchmark]:
    with ExitStack() as servers:
        broker = servers.enter_context(stack.broker())
        database = servers.enter_context(stack.database(folder / "database"))
        port = stack.free_port()
        sandbox = servers.enter_context(
            stack.Server(
                [sys.executable, "-m", "deploy.local.sandbox", f"--port={port}",
                 f"--data={folder / 'sandbox'}"], port,
            )
        )  # fmt: skip
        settings = stack.settings_for(broker.address, f"mongodb://{database.address}", folder)
        one_signal = settings.onesignal.model_copy(update={"base_url": f"http://{sandbox.address}"})
        settings = settings.model_copy(update={"onesignal": one_signal, "log_level": "WARNING"})
        await seed(settings, plan="paid")
        await ensure_topics(settings.kafka, TOPICS)
        dispatcher = stack.service("sender_service", settings, "--only", "dispatcher")
        servers.enter_context(dispatcher)
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with (
            httpx.AsyncClient(
                base_url=f"http://{sandbox.address}",
                transport=AiohttpTransport(limits=limits),
                timeout=60,
            ) as http,
            open_log_writer(settings.kafka, "bench") as writer,
        ):
            deliveries = AIOKafkaConsumer(
                DELIVERIES_TOPIC.name,
                bootstrap_servers=settings.kafka.bootstrap_servers,
                auto_offset_reset="earliest",
            )
            await deliveries.start()
            try:
                players = await _prepare_sandbox(http)
                process = psutil.Process(dispatcher.pid)
                yield DispatcherBenchmark(settings, http, writer, deliveries, process, players)
            finally:
                await deliveries.stop()


async def _prepare_sandbox(http: httpx.AsyncClient) -> Sequence[str]:
    app = {"rest_api_key": KEY, "plan": "paid"}
    (await http.put(f"/sandbox/apps/{ONE_SIGNAL}", json=app)).raise_for_status()
    quiet = {"display": 0, "click": 0, "close": 0}
    body = {"app_id": ONE_SIGNAL, "count": CALLS, "odds": quiet}
    players: list[str] = (await http.post("/sandbox/browsers", json=body)).json()["ids"]
    (await http.put("/sandbox/faults", json={"latency_ms": LATENCY_MS})).raise_for_status()
    return players


async def _dispatch(bench: DispatcherBenchmark, calls: int) -> tuple[float, float]:
    """Calls a second, from the first job that is published; CPU seconds a call."""
    send = str(uuid.uuid4())
    cpu, began = cpu_seconds(bench.process), time.perf_counter()
    await bench.writer.publish([_job(send, page, bench.players[page]) for page in range(calls)])
    left = {str(page) for page in range(calls)}
    while left:
        fetched = await bench.deliveries.getmany(timeout_ms=100)
        for message in (m for some in fetched.values() for m in some):
            if message.key == send.encode():
                left.discard(str(_page(message.value)))
    took = time.perf_counter() - began
    return calls / took, (cpu_seconds(bench.process) - cpu) / calls


async def _plain(bench: DispatcherBenchmark, calls: int) -> float:
    left = list(range(calls))
    headers = {"Authorization": f"Key {KEY}"}

    async def worker() -> None:
        while left:
            player = left.pop()
            payload = {
                **_body(player),
                "include_subscription_ids": [bench.players[player]],
                "target_channel": "push",
                "idempotency_key": str(uuid.uuid4()),
            }
            answer = await bench.http.post("/notifications", json=payload, headers=headers)
            answer.raise_for_status()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    return calls / (time.perf_counter() - began)


def _job(send: str, page: int, player: str) -> OutgoingRecord:
    now = utc_now()
    job = Job(
        app=APP, send=send, page=page, chunk="0", generation=1, priority="marketing",
        idempotency_key=idempotency_key(send, page, "0", 1), players=[player], body=_body(page),
        expires_at=now + timedelta(hours=1), released_at=now,
    )  # fmt: skip
    return OutgoingRecord(MARKETING_JOBS_TOPIC.name, job.key, job.dump(), "job")


def _body(person: int) -> dict[str, Any]:
    return {
        "app_id": ONE_SIGNAL,
        "headings": {"en": f"For you, n{person}"},
        "contents": {"en": "The shoes in your basket are 20 % off until tonight."},
        "url": f"https://shop.example.test/basket?utm_source=push&p={person}",
        "ttl": 86_400,
        "web_push_topic": "bench",
        "data": {"carillon": "v1.k.bench.0.0.0123456789abcdefABCDEF"},
    }


def _page(value: bytes) -> int:
    return int(value.split(b'"page":', 1)[1].split(b",", 1)[0])
