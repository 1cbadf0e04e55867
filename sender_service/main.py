"""A sender process: which of its parts run in it, and when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sender_service.dispatcher.governor import Governor, Membership
from sender_service.wiring import Sender, open_sender
from shared.clock import monotonic, utc_now
from shared.collections import SENDER
from shared.health import Component
from shared.kafka import ensure_topics
from shared.mongo import ensure_indexes, ping
from shared.service import bind, probe, serve, until_available
from shared.settings import Settings
from shared.stage import Stage, StageContext
from shared.topics import TOPICS

log = logging.getLogger("carillon.sender")

ROLES = ("intake", "planner", "scheduler", "dispatcher", "accounting", "ops")
LOOP_STALLED_SECONDS = 60.0


async def run(settings: Settings, stop: asyncio.Event, roles: Sequence[str] = ROLES) -> None:
    """Until `stop`. Raises Rejected when the port is taken."""
    with bind(settings.sender, "sender") as listener:
        async with open_sender(settings) as sender:
            health = sender.health
            mongo = health.component("mongodb", deadline_seconds=15, critical=True)
            kafka = health.component("kafka", deadline_seconds=15, critical=True)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    serve(sender.api(), listener, stop, settings.sender.drain_seconds)
                )
                tasks.create_task(probe(mongo, lambda: ping(sender.database), stop))
                tasks.create_task(probe(kafka, sender.writer.ping, stop))
                tasks.create_task(sender.apps.keep_fresh(stop))
                await _work(sender, stop, roles, (mongo, kafka), tasks)


async def _work(
    sender: Sender,
    stop: asyncio.Event,
    roles: Sequence[str],
    needs: tuple[Component, Component],
    tasks: asyncio.TaskGroup,
) -> None:
    """Start the loops of these roles as soon as what they need is there."""
    mongo, kafka = needs
    settings, health = sender.settings, sender.health
    await until_available(lambda: ensure_indexes(sender.database, SENDER), stop, mongo)
    log_id = await until_available(lambda: ensure_topics(settings.kafka, TOPICS), stop, kafka)
    if stop.is_set():
        return

    def loop(name: str) -> Component:
        return health.component(f"loop:{name}", deadline_seconds=LOOP_STALLED_SECONDS)

    membership = Membership(sender.database, sender.name, settings.governor, monotonic)
    governor = Governor(membership, settings.governor, monotonic)
    if "dispatcher" in roles:
        tasks.create_task(membership.run(stop, loop("governor")))
    context = StageContext(settings.kafka, sender.writer, log_id, utc_now, health)
    for spec in sender.stages(roles, governor):
        tasks.create_task(Stage(spec, context).run(stop))
    if "planner" in roles:
        for index, planner in enumerate(sender.planners()):
            tasks.create_task(planner.run(stop, sender.planner_call, loop(f"planner-{index}")))
    if "scheduler" in roles:
        tasks.create_task(sender.scheduler().run(stop, sender.scheduler_call, loop("scheduler")))
    if "accounting" in roles:
        tasks.create_task(sender.reporting().run(stop, loop("reports")))
    log.info("running", extra={"roles": list(roles), "log": log_id})
