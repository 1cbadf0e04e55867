"""A process of ingest: what its roles share, opened once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from ingest_service.durable.spool_name import spool_name
from ingest_service.projector.decode import Projected
from shared.clock import monotonic, utc_now
from shared.health import Component, Health
from shared.kafka.client import LogWriter, open_log_writer
from shared.mongo.client import Database, open_database
from shared.mongo.collections import INGEST
from shared.processes import ProcessHeartbeat, unique_name
from shared.readiness import stages_component
from shared.secret_check import check_secret_at_start
from shared.secrets import Vault
from shared.settings import Settings
from shared.stage.runner import Stage

PROBED_SECONDS = 10.0  # a probe takes at most three
Loop = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Process:
    """Dependencies that the parts of this process share."""

    settings: Settings
    stop: asyncio.Event
    health: Health
    vault: Vault
    database: Database
    writer: LogWriter
    kafka: Component
    mongo: Component
    reading: Component
    beat: ProcessHeartbeat
    stages: list[Stage[Projected]] = field(default_factory=list)  # once they begin


async def open_process(
    settings: Settings, stop: asyncio.Event, roles: frozenset[str], opened: AsyncExitStack
) -> Process:
    """Open the process's clients. Raises Rejected under another secret key than the data's."""
    health = Health(utc_now, monotonic)
    has_api = "api" in roles
    enter = opened.enter_async_context
    database = await enter(open_database(settings.mongo, "carillon-ingest"))
    writer = await enter(open_log_writer(settings.kafka, "carillon-ingest"))
    vault = Vault(settings.secret_key.get_secret_value())
    await check_secret_at_start(database, vault)
    return Process(
        settings,
        stop,
        health,
        vault,
        database,
        writer,
        # The API can do without: it has the spool.
        health.component("kafka", deadline_seconds=PROBED_SECONDS, critical=not has_api),
        health.component("mongodb", deadline_seconds=PROBED_SECONDS),
        stages_component(health),
        ProcessHeartbeat(database, _name(settings, has_api=has_api), INGEST, roles),
    )


def _name(settings: Settings, *, has_api: bool) -> str:
    """Return the process's name: the spool's, where it has one, so that a restart takes it over."""
    return spool_name(settings.data_dir / INGEST) if has_api else unique_name(INGEST)
