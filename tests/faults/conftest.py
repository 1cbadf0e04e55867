"""One world for the whole fault run; every round opens a shop of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest

from shared.kafka.client import LogWriter, open_log_writer
from shared.settings import SpoolSettings
from tests.faults.fault_cluster import FaultCluster
from tests.faults.plan import DISK, Choice
from tests.faults.rounds import FaultRun
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.disk import can_mount, small_disk

CHOICE = Choice.from_environment()
SPOOL = SpoolSettings(limit_bytes=1024**2)  # ten times what a round's traffic needs
SPOOL_DISK_MIB = 16  # SQLite's write-ahead log takes up to 5


def pytest_report_header() -> str:
    left_out = "" if can_mount() else f" without {DISK[0]}: mounting a tmpfs is not permitted here"
    return f"faults: SEED={CHOICE.seed} ROUNDS={CHOICE.rounds or ''}{left_out}"


@pytest.fixture(scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultCluster]:
    world = FaultCluster(tmp_path_factory.mktemp("faults"), spool=SPOOL)
    with small_disk(world.spool_folder, SPOOL_DISK_MIB) if can_mount() else nullcontext():
        try:
            await world.start()
            yield world
        finally:
            await world.stop()


@pytest.fixture(scope="session")
async def writer(world: FaultCluster) -> AsyncIterator[LogWriter]:
    async with open_log_writer(world.settings.kafka, "faults") as writer:
        yield writer


@pytest.fixture(scope="session")
async def webhook_proxy(world: FaultCluster) -> AsyncIterator[WebhookProxy]:
    async with WebhookProxy(world).open() as webhook_proxy:
        yield webhook_proxy


@pytest.fixture(scope="session")
def course(world: FaultCluster, writer: LogWriter, webhook_proxy: WebhookProxy) -> FaultRun:
    return FaultRun(world, writer, webhook_proxy, CHOICE)
