"""The composition root: the roles of a process, their loops, and their shutdown order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial

from ingest_service.api.app import create_app
from ingest_service.api_role import open_api
from ingest_service.durable.circuit_breaker import CircuitBreaker
from ingest_service.process import Loop, Process, open_process
from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector_role import Surroundings, project
from shared.clock import monotonic, utc_now
from shared.gc_tuning import calm_garbage_collector, collect_garbage
from shared.health import STARTING
from shared.kafka.batches import BatchWriter
from shared.kafka.client import ensure_topics
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import INGEST
from shared.readiness import watch_stages
from shared.secret_check import check_secret
from shared.service import bind, probe, retry_until_available, serve
from shared.settings import HttpSettings, Settings
from shared.stage.runner import Stage, StageContext

log = logging.getLogger("carillon.ingest")

ROLES = ("api", "projector")
JOIN_SECONDS = 30.0  # an API waits no longer for its projector


async def run(
    settings: Settings, stop: asyncio.Event, roles: frozenset[str], port: int | None = None
) -> None:
    """Serve until `stop`.

    Raises Rejected when the port or the spool is taken, or under another secret key.
    """
    http = _http(settings.ingest, roles, port)
    listener = bind(http, "ingest")
    has_api = "api" in roles
    async with AsyncExitStack() as opened:
        process = await open_process(settings, stop, roles, opened)
        events = CircuitBreaker(settings.kafka, BatchWriter(process.writer), settings.data_dir)
        parts, loops = (
            await open_api(process, events, opened) if has_api else _no_api(process, events)
        )
        loops += [
            lambda: probe(process.mongo, process.beat.beat, stop),
            lambda: collect_garbage(stop),
        ]
        loops += [lambda: _prepare(process, roles), lambda: _watch_stages(process, roles)]
        app = create_app(http, process.health, parts)
        calm_garbage_collector()
        log.info("service started", extra={"host": http.host, "port": listener.getsockname()[1]})
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(app, listener, stop, http))
            for loop in loops:
                group.create_task(loop())
        await process.beat.leave()


def _http(http: HttpSettings, roles: frozenset[str], port: int | None) -> HttpSettings:
    """Return the HTTP settings with the port to bind.

    A process without the API serves health and metrics only, by default on any free port.
    """
    if port is None:
        port = http.port if "api" in roles else 0
    return http.model_copy(update={"port": port})


def _no_api(process: Process, events: CircuitBreaker) -> tuple[None, list[Loop]]:
    return None, [lambda: probe(process.kafka, events.check, process.stop)]


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
