"""Kafka of a run: the embedded broker, or a real one (`--kafka=cluster`), ours or given.

A given cluster (`CARILLON_KAFKA__BOOTSTRAP_SERVERS`) takes the place of the broker that tests share.
Tests that stop or kill a broker have one of ours in any case, and are skipped where there is no Java.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.topics import TOPICS

KIND = "CARILLON_TEST_KAFKA"
KINDS = (EMBEDDED, CLUSTER) = ("embedded", "cluster")
GIVEN = "CARILLON_KAFKA__BOOTSTRAP_SERVERS"
OURS = frozenset(topic.name for topic in TOPICS)
DELETED_SECONDS = 30.0
SHORT_SESSION_MS = 3_000  # how soon ours misses the killed
SHORTEST_SESSION_MS = 6_000  # that a Kafka takes whose settings are nobody's but its own

_given: str | None = None
_is_ours = False  # once its topics are known to be a run's own


def chosen_kind() -> str:
    return os.environ.get(KIND) or EMBEDDED


def is_cluster() -> bool:
    return chosen_kind() == CLUSTER


def given() -> str | None:
    """Return the address of the cluster that this run was given, if it was."""
    return _given


def session_ms() -> int:
    """Return the shortest session of a consumer that the broker takes."""
    return SHORTEST_SESSION_MS if _given else SHORT_SESSION_MS


def choose(kind: str, *, wipe: bool = False) -> None:
    """Choose for this process and its children.

    A given address is then no longer in the environment: a test gives its processes their broker's.
    """
    global _given, _is_ours
    os.environ[KIND] = kind
    _given = os.environ.pop(GIVEN, None) or None if kind == CLUSTER else None
    _is_ours = wipe


async def clear(address: str) -> None:
    """Delete our topics from a given cluster, and with them their groups' offsets.

    Topics from before the run stay, and fail it.
    """
    global _is_ours
    async with _admin(address) as admin:
        found = await _topics(admin)
        assert _is_ours or not found, (
            f"{address} has Carillon's topics already: give the tests a cluster of their own,"
            " or have the topics deleted with --kafka-wipe"
        )
        _is_ours = True
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
