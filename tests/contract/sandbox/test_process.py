"""The sandbox as a process: killed, stopped, and started where somebody else listens."""

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox import Receiver, SandboxApp, until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start(port: int, data: Path, *arguments: str) -> Process:
    command = [sys.executable, "-m", "deploy.local.sandbox", "--port", str(port)]
    command += ["--data", str(data), *arguments]
    return await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)


@asynccontextmanager
async def process(data: Path, *arguments: str) -> AsyncIterator[tuple[Process, SandboxApp]]:
    port = free_port()
    running = await start(port, data, *arguments)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:

        async def is_up() -> bool:
            with suppress(httpx.TransportError):
                return (await client.get("/health")).status_code == 200
            return False

        try:
            await until(is_up)
            yield running, SandboxApp(client)
        finally:
            if running.returncode is None:
                running.kill()
            await running.communicate()


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    async with process(tmp_path) as (running, remote):
        await remote.put_app()
        app_id, ids = remote.app_id, await remote.browsers(500, odds={"display": 0})
        answered: dict[str, bytes] = {}

        async def call() -> None:
            while True:
                key = str(uuid4())
                answered[key] = (await remote.create(ids[:20], idempotency_key=key)).content

        callers = [asyncio.create_task(call()) for _ in range(8)]
        await until(lambda: len(answered) > 150)
        running.kill()
        await asyncio.gather(*callers, return_exceptions=True)
    async with process(tmp_path) as (_, again):
        again.app_id = app_id
        tally = await again.tally()
        assert tally["calls"] >= len(answered) > 150
        assert {push["external_id"] for push in tally["pushes"]} >= set(answered)
        for key, body in list(answered.items())[-20:]:
            repeat = await again.create(ids[:20], idempotency_key=key)
            assert repeat.headers["idempotent-replayed"] == "true"
            assert repeat.content == body
        assert len((await again.tally())["pushes"]) == len(tally["pushes"])


async def test_browsers_go_on_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    async with process(tmp_path, "--webhook-url", receiver.url) as (running, remote):
        await remote.put_app()
        app_id = remote.app_id
        ids = await remote.browsers(400)
        await remote.create(ids)
        await until(lambda: len(receiver.posts()) > 50)
        running.kill()
    async with process(tmp_path, "--webhook-url", receiver.url) as (_, again):
        again.app_id = app_id
        tally = await again.final_tally()
    assert tally["totals"]["displayed"] == 400
    assert max(push["displayed"] for push in tally["pushes"]) == 1
    distinct = {post.body for post in receiver.posts()}
    totals = tally["totals"]
    assert len(distinct) == totals["displayed"] + totals["clicked"] + totals["closed"]


async def test_sigterm_stops_within_two_seconds(tmp_path: Path) -> None:
    async with process(tmp_path) as (running, remote):
        await remote.put_app()
        ids = await remote.browsers(1)
        await remote.faults(hold=True)
        pending = asyncio.create_task(remote.create(ids))

        async def is_accepted() -> bool:
            return len((await remote.tally())["pushes"]) == 1

        await until(is_accepted)
        begun = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 2) == 0
        assert time.monotonic() - begun < 2
        await asyncio.gather(pending, return_exceptions=True)


@pytest.mark.parametrize("host", ["127.0.0.1"])
async def test_busy_port_is_one_sentence(tmp_path: Path, host: str) -> None:
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = await start(port, tmp_path)
        _, output = await running.communicate()
    assert running.returncode == 1
    assert output.decode().count("\n") == 1
    assert str(port) in output.decode()


async def test_stop_as_soon_as_the_port_is_open_is_no_crash(tmp_path: Path) -> None:
    port = free_port()
    running = await start(port, tmp_path)

    async def is_open() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    await until(is_open)
    running.send_signal(signal.SIGTERM)
    _, errors = await running.communicate()
    assert (running.returncode, errors) == (0, b"")
