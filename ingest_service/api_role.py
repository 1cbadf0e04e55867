"""The role `api`: the events' way to the log, and what the endpoints need."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ingest_service.api.app import ApiDependencies
from ingest_service.api.app_cache import AppDiskCache
from ingest_service.api.rate_limits import RateLimits
from ingest_service.collect.collector import Collector
from ingest_service.collect.event_validator import EventValidator
from ingest_service.durable.circuit_breaker import CircuitBreaker
from ingest_service.durable.durable_log import DurableLog, PublishTimeouts
from ingest_service.durable.spool import Spool
from ingest_service.process import PROBED_SECONDS, Loop, Process
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.views import MongoVisitorViews
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.service import probe

KNOWN_APPS = "apps.json"
SPOOL = "spool.sqlite"


async def open_api(
    process: Process, events: CircuitBreaker, opened: AsyncExitStack
) -> tuple[ApiDependencies, list[Loop]]:
    """Open the API's log and caches; return its dependencies, and the loops that it needs."""
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
        Collector(durable, EventValidator.of(process.vault), utc_now),
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
