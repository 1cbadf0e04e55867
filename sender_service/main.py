"""Sender process: runs the stages and loops of its roles."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

from sender_service.accounting.reporting import Reporting
from sender_service.dispatcher.governor import Governor, Membership
from sender_service.roles import ROLES
from sender_service.scenarios.task_loops import task_loops
from sender_service.stages import stages_of
from sender_service.wiring import Sender, open_sender
from shared.clock import monotonic, utc_now
from shared.gc_tuning import calm_garbage_collector, collect_garbage
from shared.health import Component
from shared.kafka.client import ensure_topics
from shared.kafka.topics import TOPICS
from shared.models.quiet_hours import check_time_zones
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import SENDER
from shared.processes import ProcessHeartbeat
from shared.readiness import stages_component, watch_stages
from shared.secret_check import check_secret, check_secret_at_start
from shared.service import bind, probe, retry_until_available, serve
from shared.settings import Settings
from shared.stage.runner import Stage, StageContext

log = logging.getLogger("carillon.sender")

LOOP_STALLED_SECONDS = 60.0


async def run(settings: Settings, stop: asyncio.Event, roles: Sequence[str] = ROLES) -> None:
    """Run until `stop`.

    Raises Rejected when the port is taken, under another secret key, or without time zone data.
    """
    check_time_zones()
    with bind(settings.sender, "sender") as listener:
        async with open_sender(settings) as sender:
            context = sender.context
            await check_secret_at_start(context.database, context.vault)
            health = context.health
            mongo = health.component("mongodb", deadline_seconds=15, critical=True)
            kafka = health.component("kafka", deadline_seconds=15, critical=True)
            calm_garbage_collector()
            beat = ProcessHeartbeat(context.database, context.name, SENDER, roles)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(sender.api(), listener, stop, settings.sender))
                tasks.create_task(probe(mongo, beat.beat, stop))
                tasks.create_task(probe(kafka, context.writer.ping, stop))
                tasks.create_task(context.apps.keep_fresh(stop))
                tasks.create_task(collect_garbage(stop))
                await _work(sender, stop, roles, (mongo, kafka), tasks)
            await beat.leave()


async def _work(
    sender: Sender,
    stop: asyncio.Event,
    roles: Sequence[str],
    needs: tuple[Component, Component],
    tasks: asyncio.TaskGroup,
) -> None:
    """Start the roles' stages and loops once MongoDB and Kafka are ready."""
    mongo, kafka = needs
    context, settings = sender.context, sender.context.settings
    # No deadline: a large collection's index may take any time.
    indexes = context.health.component("indexes", deadline_seconds=math.inf, critical=True)
    reading = stages_component(context.health)
    await retry_until_available(
        lambda: check_secret(context.database, context.vault), stop, indexes
    )
    await retry_until_available(lambda: ensure_indexes(context.database, SENDER), stop, indexes)
    indexes.beat()
    log_id = await retry_until_available(lambda: ensure_topics(settings.kafka, TOPICS), stop, kafka)
    if stop.is_set():
        return
    membership = Membership(context.stores.replicas, context.name, settings.governor, monotonic)
    governor = Governor(membership, settings.governor, monotonic)
    served = StageContext(settings.kafka, context.writer, log_id, utc_now, context.health)
    specs = stages_of(roles, context, sender.intake, governor)
    stages = [Stage(spec, served) for spec in specs]
    for stage in stages:
        tasks.create_task(stage.run(stop))
    tasks.create_task(watch_stages(lambda: all(s.has_read for s in stages), reading, stop))
    for name, run_loop in _loops(sender, roles, membership, stop):
        component = context.health.component(f"loop:{name}", deadline_seconds=LOOP_STALLED_SECONDS)
        tasks.create_task(run_loop(component))
    log.info("service started", extra={"roles": list(roles), "log": log_id})


Loop = Callable[[Component], Coroutine[Any, Any, None]]


def _loops(
    sender: Sender, roles: Sequence[str], membership: Membership, stop: asyncio.Event
) -> Iterator[tuple[str, Loop]]:
    """Yield (name, loop) of all that these roles run besides Kafka stages."""
    if "dispatcher" in roles:
        yield "governor", partial(membership.run, stop)
    if "planner" in roles:
        for index, planner in enumerate(sender.planners()):
            yield f"planner-{index}", partial(planner.run, stop, sender.context.planner_wakeup)
    if "scheduler" in roles:
        yield "scheduler", partial(sender.scheduler().run, stop, sender.context.scheduler_wakeup)
    if "scenarios" in roles:
        yield "occurrences", partial(sender.occurrences().run, stop)
        yield "waker", partial(sender.waker().run, stop)
        yield from task_loops(sender.context, stop)
    if {"scenarios", "scheduler"} & set(roles):
        yield "knowledge", partial(sender.knowledge.run, stop)
    if "accounting" in roles:
        reporting = Reporting.of(sender.context.stores, sender.context.clock)
        yield "reports", partial(reporting.run, stop)
