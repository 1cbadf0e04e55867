"""The composition root: the parts of a process, their dependencies, and their shutdown order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ingest_service.api.app import ApiDependencies, create_app
from ingest_service.api.app_cache import AppDiskCache
from ingest_service.api.rate_limits import RateLimits
from ingest_service.collect.collector import Collector
from ingest_service.collect.event_validator import EventValidator
from ingest_service.collect.login_proof import LoginProof
from ingest_service.durable.circuit_breaker import CircuitBreaker
from ingest_service.durable.durable_log import DurableLog, PublishTimeouts
from ingest_service.durable.spool import Spool
from ingest_service.durable.spool_name import spool_name
from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.views import MongoVisitorViews
from ingest_service.projector_role import Surroundings, project
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.gc_tuning import calm_garbage_collector, collect_garbage
from shared.health import STARTING, Component, Health
from shared.kafka.batches import BatchWriter
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST
from shared.processes import ProcessHeartbeat, unique_name
from shared.readiness import stages_component, watch_stages
from shared.secret_check import check_secret, check_secret_early
from shared.secrets import Vault
from shared.service import bind, probe, retry_until_available, serve
from shared.settings import HttpSettings, Settings
from shared.stage.runner import Stage, StageContext

log = logging.getLogger("carillon.ingest")

ROLES = ("api", "projector")
PROBED_SECONDS = 10.0  # a probe takes at most three
JOIN_SECONDS = 30.0  # an API waits no longer for its projector
KNOWN_APPS = "apps.json"
SPOOL = "spool.sqlite"


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


async def run(
    settings: Settings, stop: asyncio.Event, roles: frozenset[str], port: int | None = None
) -> None:
    """Serve until `stop`.

    Raises Rejected when the port or the spool is taken, or under another secret key.
    """
    http = _http(settings.ingest, roles, port)
    listener = bind(http, "ingest")
    health = Health(utc_now, monotonic)
    has_api = "api" in roles
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        database = await enter(open_database(settings.mongo, "carillon-ingest"))
        writer = await enter(open_log_writer(settings.kafka, "carillon-ingest"))
        vault = Vault(settings.secret_key.get_secret_value())
        await check_secret_early(database, vault)
        process = Process(
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
        events = CircuitBreaker(settings.kafka, BatchWriter(writer), settings.data_dir)
        parts, loops = await _api(process, events, opened) if has_api else _no_api(process, events)
        loops += [
            lambda: probe(process.mongo, process.beat.beat, stop),
            lambda: collect_garbage(stop),
        ]
        loops += [lambda: _prepare(process, roles), lambda: _watch_stages(process, roles)]
        app = create_app(http, health, parts)
        calm_garbage_collector()
        log.info("listening", extra={"host": http.host, "port": listener.getsockname()[1]})
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(app, listener, stop, http))
            for loop in loops:
                group.create_task(loop())
        await process.beat.leave()


def _name(settings: Settings, *, has_api: bool) -> str:
    """Return the process's name: the spool's, where it has one, so that a restart takes it over."""
    return spool_name(settings.data_dir / INGEST) if has_api else unique_name(INGEST)


def _http(http: HttpSettings, roles: frozenset[str], port: int | None) -> HttpSettings:
    """Return the HTTP settings with the port to bind.

    A process without the API serves health and metrics only, by default on any free port.
    """
    if port is None:
        port = http.port if "api" in roles else 0
    return http.model_copy(update={"port": port})


Loop = Callable[[], Coroutine[Any, Any, Any]]


def _no_api(process: Process, events: CircuitBreaker) -> tuple[None, list[Loop]]:
    return None, [lambda: probe(process.kafka, events.check, process.stop)]


async def _api(
    process: Process, events: CircuitBreaker, opened: AsyncExitStack
) -> tuple[ApiDependencies, list[Loop]]:
    settings, health = process.settings, process.health
    data_dir = settings.data_dir / "ingest"
    timeouts = PublishTimeouts(
        settings.spool.publish_timeout_ms / 1000, settings.kafka.request_timeout_ms / 1000
    )
    durable = DurableLog(events, Spool(data_dir / SPOOL), settings.spool.limit_bytes, timeouts)
    await opened.enter_async_context(durable.open())
    process.beat.spool = durable.state
    room = health.component("spool", deadline_seconds=PROBED_SECONDS, critical=True)
    apps = AppRegistry(process.database, process.vault)
    known = health.component("apps", deadline_seconds=PROBED_SECONDS, critical=True)
    parts = ApiDependencies(
        apps,
        Collector(durable, EventValidator(LoginProof(process.vault)), utc_now),
        MongoVisitorViews(process.database, PersonIds(process.vault.derive("person"))),
        utc_now,
        RateLimits(settings.limits, settings.ingest.trusted_proxies, monotonic),
    )
    return parts, [
        lambda: apps.keep_fresh(process.stop),
        lambda: AppDiskCache(data_dir / KNOWN_APPS, apps, known).watch(process.stop),
        lambda: probe(process.kafka, durable.check, process.stop),
        lambda: probe(room, durable.check_space, process.stop),
    ]


async def _prepare(process: Process, roles: frozenset[str]) -> None:
    """Make the indexes, then project: a projector's reads without them take the whole collection."""
    database, stop, mongo = process.database, process.stop, process.mongo
    # Before anything is written: another key makes other persons of the same logins.
    await retry_until_available(lambda: check_secret(database, process.vault), stop, mongo)
    await retry_until_available(lambda: ensure_indexes(database, INGEST), stop, mongo)
    if "projector" in roles and not stop.is_set():
        await _project(process)


async def _watch_stages(process: Process, roles: frozenset[str]) -> None:
    """Keep the health of the stages.

    An API counts as ready while its projector waits for Kafka or MongoDB, or reads for too long.
    """
    since = monotonic()

    def is_excused() -> bool:
        away = any(part.error not in (None, STARTING) for part in (process.kafka, process.mongo))
        return "api" in roles and (away or monotonic() - since > JOIN_SECONDS)

    def is_reading() -> bool:
        begun = "projector" not in roles or bool(process.stages)
        return begun and all(stage.has_read for stage in process.stages)

    await watch_stages(lambda: is_reading() or is_excused(), process.reading, process.stop)


async def _project(process: Process) -> None:
    settings = process.settings
    log_id = await retry_until_available(
        lambda: ensure_topics(settings.kafka, TOPICS), process.stop, process.kafka
    )
    if log_id is None:
        return

    def note(stage: Stage[Projected]) -> None:
        process.beat.partitions = partial(stage.behind, EVENTS_TOPIC.name)
        process.stages.append(stage)

    people = PersonIds(process.vault.derive("person"))
    context = StageContext(settings.kafka, process.writer, log_id, utc_now, process.health)
    given = Surroundings(settings, process.database, people, context, process.mongo, note)
    await project(given, process.stop)
