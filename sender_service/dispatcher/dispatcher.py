"""The dispatcher: a turn from the governor, the call, the outcome as a delivery."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from sender_service.dispatcher.governor import Governor
from sender_service.dispatcher.onesignal import OneSignalClient
from sender_service.dispatcher.outcomes import NotSent, Outcome, Refused, RetryAfter, Sent
from sender_service.store.campaigns import VersionedStore
from shared import metrics
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.kafka.batches import CoalescingWriter
from shared.kafka.client import OutgoingRecord, Record
from shared.kafka.topics import (
    DELIVERIES_TOPIC,
    MARKETING_DISPATCHER_GROUP,
    MARKETING_JOBS_TOPIC,
    TRANSACTIONAL_DISPATCHER_GROUP,
    TRANSACTIONAL_JOBS_TOPIC,
)
from shared.models.app import App
from shared.models.delivery import Delivery, PlayerOutcome
from shared.models.job import Job
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec
from shared.texts import shorten

log = logging.getLogger("carillon.dispatcher")

TURN_SECONDS = 5.0  # a job that can't be called within it is handed back
STALE_TURN_SECONDS = 0.1  # a turn that is older than this is over
NO_TURN = "no_turn"  # deferred before any call
STOPPED = "stopped"
REFUSED = "refused"  # definitely: the next release is a new generation


@dataclass(frozen=True)
class DispatcherTools:
    apps: AppRegistry
    app_store: VersionedStore
    governor: Governor
    onesignal: OneSignalClient
    writer: CoalescingWriter
    clock: Clock


class Dispatcher:
    """Handles units of jobs; jobs of a unit are called side by side."""

    def __init__(self, tools: DispatcherTools) -> None:
        self._tools = tools

    def stages(self) -> list[StageSpec[Job]]:
        """One for each priority, so that no marketing stands before a transactional push."""
        return [
            self._stage(
                "dispatcher-transactional",
                TRANSACTIONAL_DISPATCHER_GROUP,
                TRANSACTIONAL_JOBS_TOPIC.name,
            ),
            self._stage(
                "dispatcher-marketing", MARKETING_DISPATCHER_GROUP, MARKETING_JOBS_TOPIC.name
            ),
        ]

    def _stage(self, name: str, group: str, topic: str) -> StageSpec[Job]:
        return StageSpec(
            name,
            group,
            (topic,),
            _decode,
            self._handle,
            batch_records=32,
            in_flight=8,
            can_rest=True,
        )

    async def _handle(self, items: Sequence[Item[Job]]) -> list[Poison]:
        # All come to an end before the first failure is told: the unit is then repeated whole, and
        # what was called already answers as a replay of its key.
        ends = await asyncio.gather(
            *(self._deliver(i.value) for i in items), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return []

    async def _deliver(self, job: Job) -> None:
        delivery = await self._dispatch(job)
        await self._tools.writer.publish(
            OutgoingRecord(DELIVERIES_TOPIC.name, delivery.send, delivery.dump(), "delivery")
        )

    async def _dispatch(self, job: Job) -> Delivery:
        tools = self._tools
        app = tools.apps.get(job.app)
        if app is None or not app.enabled or not app.one_signal.enabled or app.state != "active":
            return self._deferred(job, STOPPED)
        if tools.clock() >= job.expires_at:
            return self._deferred(job, NO_TURN)  # the scheduler ends what has expired
        outcome = await self._call(app, job)
        if outcome is None:
            return self._deferred(job, NO_TURN, seconds=1.0)
        return await self._to_delivery(app, job, outcome)

    async def _call(self, app: App, job: Job) -> Outcome | None:
        """None when it can't be called soon. A turn is for now: who waited for a connection takes
        another, else all that wait would call at once when calls that hang come to their end."""
        tools, transactional = self._tools, job.priority == "transactional"
        if not await tools.governor.turn(app, transactional=transactional, within=TURN_SECONDS):
            return None
        places, began = tools.onesignal.places[job.priority], time.perf_counter()
        if not await _take(places):
            return None
        try:
            if time.perf_counter() - began > STALE_TURN_SECONDS and not await tools.governor.turn(
                app, transactional=transactional, within=TURN_SECONDS
            ):
                return None
            began = time.perf_counter()
            outcome = await tools.onesignal.send(app, job)
        finally:
            places.release()
        self._note(job, outcome, time.perf_counter() - began)
        return outcome

    async def _to_delivery(self, app: App, job: Job, outcome: Outcome) -> Delivery:
        match outcome:
            case Sent():
                invalid = [p for p in job.players if p in outcome.invalid]
                return self._delivery(
                    job,
                    outcome="sent",
                    notification_id=outcome.notification,
                    replayed=outcome.replayed,
                    players=_invalid(invalid),
                )
            case NotSent():
                return self._delivery(
                    job, outcome="failed", reason="invalid_player", players=_invalid(job.players)
                )
            case RetryAfter():
                if outcome.code == "rate_limited":
                    self._tools.governor.pause(app.id, outcome.seconds or 1.0)
                return self._deferred(job, outcome.code, seconds=outcome.seconds or 0.0)
            case Refused(whose="app"):
                await self._stop_app(app, outcome)
                return self._deferred(job, REFUSED)
            case Refused():
                log.error(
                    "OneSignal refused a call",
                    extra={
                        "send": job.send,
                        "page": job.page,
                        "chunk": job.chunk,
                        "code": outcome.code,
                    },
                )
                return self._delivery(job, outcome="failed", reason="rejected")

    async def _stop_app(self, app: App, refused: Refused) -> None:
        """Loudly: nothing of the app is released until somebody resumes it."""
        log.error("app stopped: OneSignal refuses it", extra={"app": app.id, "code": refused.code})
        await self._tools.app_store.set(
            app.id,
            {
                "state": "stopped",
                "stoppedBecause": shorten(f"{refused.code}: {refused.message}", 300),
            },
        )
        await self._tools.apps.refresh()

    def _deferred(self, job: Job, reason: str, *, seconds: float = 0.0) -> Delivery:
        return self._delivery(
            job,
            outcome="deferred",
            reason=reason,
            not_before=self._tools.clock() + timedelta(seconds=seconds),
        )

    def _delivery(self, job: Job, **fields: object) -> Delivery:
        place = {
            "app": job.app,
            "send": job.send,
            "page": job.page,
            "chunk": job.chunk,
            "generation": job.generation,
            "release": job.release,
            "at": self._tools.clock(),
        }
        return Delivery.model_validate({**place, **fields})

    def _note(self, job: Job, outcome: Outcome, seconds: float) -> None:
        label = type(outcome).__name__
        _counted(job.app, label).inc()
        _timed(job.app).observe(seconds)
        log.info(
            "OneSignal called",
            extra={"send": job.send, "page": job.page, "chunk": job.chunk, "app": job.app,
                   "outcome": label, "players": len(job.players), "key": job.idempotency_key},
        )  # fmt: skip


async def _take(places: asyncio.Semaphore) -> bool:
    """False when none became free in time."""
    if not places.locked():  # as nearly always: a timer costs more than the rest of it
        return await places.acquire()
    try:
        async with asyncio.timeout(TURN_SECONDS):
            return await places.acquire()
    except TimeoutError:
        return False


_counted = lru_cache(4_096)(metrics.CALLS.labels)  # a look-up by labels takes a lock
_timed = lru_cache(1_024)(metrics.CALL_SECONDS.labels)


def _decode(record: Record) -> Job:
    return Job.parse(record.value)


def _invalid(players: Sequence[str]) -> list[PlayerOutcome]:
    return [PlayerOutcome(player=p, outcome="failed", reason="invalid_player") for p in players]
