"""Which Kafka a run is for: the embedded broker, or a real one (`--kafka=cluster`), ours or given.

A given cluster (`CARILLON_KAFKA__BOOTSTRAP_SERVERS`) takes the place of the broker that tests share;
tests that stop or kill a broker have one of ours in any case.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiokafka.admin import AIOKafkaAdminClient

from shared.topics import TOPICS

KIND = "CARILLON_TEST_KAFKA"
KINDS = (EMBEDDED, CLUSTER) = ("embedded", "cluster")
GIVEN = "CARILLON_KAFKA__BOOTSTRAP_SERVERS"
OURS = frozenset(topic.name for topic in TOPICS)
DELETED_SECONDS = 30.0


def chosen_kind() -> str:
    return os.environ.get(KIND) or EMBEDDED


def is_cluster() -> bool:
    return chosen_kind() == CLUSTER


def choose(kind: str) -> str | None:
    """For this process and its children; returns the address that was given, which is then no
    longer in the environment: what a test starts is told its broker by the test."""
    os.environ[KIND] = kind
    return os.environ.pop(GIVEN, None) if kind == CLUSTER else None


@contextmanager
def borrowed(address: str, *, wipe: bool) -> Iterator[str]:
    """A given cluster, without our topics before and after; their groups' offsets go with them."""
    asyncio.run(_clear(address, wipe=wipe))
    yield address
    asyncio.run(_clear(address, wipe=True))


async def _clear(address: str, *, wipe: bool) -> None:
    async with _admin(address) as admin:
        found = await _topics(admin)
        assert wipe or not found, (
            f"{address} has Carillon's topics already: give the tests a cluster of their own,"
            " or have the topics deleted with --kafka-wipe"
        )
        if found:
            await admin.delete_topics(sorted(found))
        deadline = time.monotonic() + DELETED_SECONDS
        while await _topics(admin):
            assert time.monotonic() < deadline, f"{address} keeps {await _topics(admin)}"
            await asyncio.sleep(0.1)


async def _topics(admin: AIOKafkaAdminClient) -> frozenset[str]:
    return OURS.intersection(await admin.list_topics())


@asynccontextmanager
async def _admin(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
