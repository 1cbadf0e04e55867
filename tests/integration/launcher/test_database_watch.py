"""An embedded database that stores nothing is started again; one that only says nothing isn't."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from deploy.local import database_watch
from deploy.local.database_watch import watch_database
from deploy.local.errors import NotReady, NotWriting
from deploy.local.probes import probe_database
from deploy.local.process import Child, Spec
from deploy.local.screen import Screen
from tests.support import stack
from tests.support.mongo_proxy import MongoProxy, Refusal
from tests.support.stack import Server, eventually

CHILD = Path(__file__).with_name("child.py")


class Recorder(Screen):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Failing:
    """A probe: what it raises, how often it was asked."""

    def __init__(self, error: NotReady | None) -> None:
        self.error = error
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_watch, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(database_watch, "UNWELL_SECONDS", 0.3)


def _child(tmp_path: Path) -> Child:
    command = [sys.executable, str(CHILD), "serves", str(stack.free_port())]
    spec = Spec("database", lambda: command, Failing(None), "", dict(os.environ))
    return Child(spec, tmp_path)


@pytest.mark.parametrize(
    ("error", "restarted"),
    [(NotWriting("code 1 InternalError"), True), (NotReady("no answer"), False), (None, False)],
    ids=["stores nothing", "says nothing", "well"],
)
async def test_n4_what_stores_nothing_is_started_again(
    tmp_path: Path, error: NotReady | None, restarted: bool
) -> None:
    child, probe, screen = _child(tmp_path), Failing(error), Recorder()
    await child.start(20)
    watching = asyncio.create_task(watch_database(child, probe, screen, 5))
    try:
        await eventually(lambda: probe.asked > 20 or child.recycled, 20)
        assert child.recycled is restarted
        if restarted:
            assert await child.exited() is not None
    finally:
        watching.cancel()
        await child.stop(5, asyncio.Event())
    named = "the database stores nothing (code 1 InternalError): starting it again"
    assert screen.warnings == ([named] if restarted else [])


async def test_n4_the_probe_writes(fresh_database: Server) -> None:
    # A full disk answers questions, and stores nothing.
    uri = f"mongodb://{fresh_database.address}"
    await probe_database(uri, "test")
    with (
        MongoProxy.before(
            uri,
            lambda request: (
                Refusal(14031, "OutOfDiskSpace") if request.command == "update" else None
            ),
        ) as proxy,
        pytest.raises(NotWriting, match="code 14031 OutOfDiskSpace"),
    ):
        await probe_database(proxy.uri, "test")
