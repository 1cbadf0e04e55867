"""Tests of commands beside a running stack, and of a new broker with what the last run left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.log_backup import FILE
from shared.kafka.topics import EVENTS_TOPIC
from tests.integration.launcher.local_stack import LocalStack
from tests.integration.launcher.running import ROOT
from tests.support.stack import Server

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def command(stack: LocalStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as from a second shell, which knows only the stack's addresses."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
    return subprocess.run(
        [sys.executable, "-m", "ingest_service", *arguments],
        cwd=ROOT,
        env={**bare, **stack.addresses},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def open_to_others(folder: Path) -> list[str]:
    modes = {path: path.lstat().st_mode for path in folder.rglob("*")}
    return [str(path) for path, mode in modes.items() if stat.S_IMODE(mode) & 0o077]


def test_f21_import_and_snapshot_work_beside_it_and_files_are_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "logs").mkdir(parents=True)
    (data / "logs" / "of-an-earlier-version.log").write_text("open to others")
    subscribers = tmp_path / "export.csv"
    subscribers.write_text("player_id,invalid_identifier\n6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10,f\n")
    stack = LocalStack(data)
    with stack.http, stack.run():
        taken = command(stack, "snapshot")
        assert taken.returncode == 0, taken.stderr
        assert taken.stdout.strip().endswith(".snapshot.gz")
        imported = command(stack, "import", str(subscribers), "--app", "demo")
        assert imported.returncode == 0, imported.stderr
        replayed = command(stack, "replay")  # it makes ids by the secret, which may be another's
        assert replayed.returncode == 2 and "CARILLON_DEVELOPMENT" in replayed.stderr
        assert open_to_others(data) == []


async def test_n5_what_the_embedded_broker_left_is_published_to_the_real_one(
    tmp_path: Path, fresh_broker: Server
) -> None:
    line = {
        "topic": EVENTS_TOPIC.name,
        "key": b64encode(b"demo:v1").decode(),
        "value": b64encode(b"{}").decode(),
        "headers": [["type", b64encode(b"pageview").decode()]],
    }
    (tmp_path / FILE).write_bytes(orjson.dumps(line) + b"\n" + b"a damaged one\n")
    stack = LocalStack(tmp_path, CARILLON_KAFKA__BOOTSTRAP_SERVERS=fresh_broker.address)
    with stack.http, stack.run() as launcher:
        assert "carried over from the last run: 1 records" in launcher.screen
        assert f"kept in {tmp_path / 'carry-over.damaged.jsonl'}" in launcher.screen
    assert not (tmp_path / FILE).exists()
    consumer = AIOKafkaConsumer(
        EVENTS_TOPIC.name, bootstrap_servers=fresh_broker.address, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        record = await consumer.getone()
        assert (record.key, record.value) == (b"demo:v1", b"{}")
    finally:
        await consumer.stop()
