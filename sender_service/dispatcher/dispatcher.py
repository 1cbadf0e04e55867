"""Dispatcher: takes a slot from the governor, calls, publishes the outcome as a delivery."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Required, TypedDict, Unpack

from sender_service.context import SenderContext
from sender_service.dispatcher.connections import take_connection
from sender_service.dispatcher.governor import Governor
from sender_service.dispatcher.tools import DispatcherTools
from sender_service.providers.base import (
    NotSent,
    Outcome,
    Provider,
    Refused,
    RetryAfter,
    Sent,
)
from shared import metrics
from shared.kafka.records import OutgoingRecord, Record
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
from shared.reasons import DeferredReason, DeliveryOutcome, FailedReason
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec
from shared.texts import shorten

log = logging.getLogger("carillon.dispatcher")

SLOT_SECONDS = 5.0  # a job without a slot or a connection by then is deferred
STALE_SLOT_SECONDS = 0.1  # an older slot is void
NOT_CALLED: DeferredReason = "not_called"  # deferred before any call
STOPPED: DeferredReason = "stopped"
REFUSED: DeferredReason = "refused"  # definitely: the next release is a new generation


class _Answer(TypedDict, total=False):
    """Fields of a delivery: the call's outcome, and what belongs to it."""

    outcome: Required[DeliveryOutcome]
    reason: FailedReason | DeferredReason
    not_before: datetime
    notification_id: str
    replayed: bool
    players: list[PlayerOutcome]


class Dispatcher:
    """Handler of units of jobs; a unit's jobs are called concurrently."""

    def __init__(self, tools: DispatcherTools) -> None:
        self._tools = tools

    @classmethod
    def of(cls, context: SenderContext, governor: Governor) -> Dispatcher:
        return cls(DispatcherTools.of(context, governor))

    def stages(self) -> list[StageSpec[Job]]:
        """Return a stage for each priority: marketing never delays transactional pushes."""
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
        # All jobs end before the first failure is raised: the unit is then repeated whole, and a call
        # that was made already is answered as a replay of its key.
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
        provider = tools.providers.get(job.provider)
        if app is None or not app.is_sending or provider is None:
            return self._deferred(job, STOPPED)
        if tools.clock() >= min(job.expires_at, job.quiet_from or job.expires_at):
            # The scheduler ends what has expired, and releases the rest in the morning. Its clock may be
            # behind: it looks again at this clock's time, when it is night there too.
            return self._deferred(job, NOT_CALLED)
        outcome = await self._call(provider, app, job)
        if outcome is None:
            return self._deferred(job, NOT_CALLED, seconds=1.0)
        return await self._to_delivery(app, job, outcome)

    async def _call(self, provider: Provider, app: App, job: Job) -> Outcome | None:
        """Call the provider; return None without a slot or a connection in time."""
        # A slot is valid now only. After a wait for a connection the job takes another one: else all
        # waiting jobs would call at once when hanging calls end.
        governor, transactional = self._tools.governor, job.priority == "transactional"
        if not await governor.acquire(
            app, provider, transactional=transactional, within=SLOT_SECONDS
        ):
            return None
        connections, began = provider.connections(job.priority), time.perf_counter()
        if not await take_connection(connections, SLOT_SECONDS):
            return None
        try:
            if time.perf_counter() - began > STALE_SLOT_SECONDS and not await governor.acquire(
                app, provider, transactional=transactional, within=SLOT_SECONDS
            ):
                return None
            began = time.perf_counter()
            outcome = await provider.call(app, job)
        finally:
            connections.release()
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
                    self._tools.governor.pause(app.id, job.provider, outcome.seconds or 1.0)
                return self._deferred(job, outcome.code, seconds=outcome.seconds or 0.0)
            case Refused(whose="app"):
                await self._stop_app(app, outcome)
                return self._deferred(job, REFUSED)
            case Refused():
                log.error(
                    "provider call refused",
                    extra={
                        "send": job.send,
                        "page": job.page,
                        "chunk": job.chunk,
                        "code": outcome.code,
                    },
                )
                return self._delivery(job, outcome="failed", reason="rejected")

    async def _stop_app(self, app: App, refused: Refused) -> None:
        """Stop the app, with an error in the log: nothing is released until an operator resumes it."""
        log.error("app stopped", extra={"app": app.id, "code": refused.code})
        because = shorten(f"{refused.code}: {refused.message}", 300)
        await self._tools.app_store.stop(app.id, because)
        await self._tools.apps.refresh()

    def _deferred(self, job: Job, reason: DeferredReason, *, seconds: float = 0.0) -> Delivery:
        return self._delivery(
            job,
            outcome="deferred",
            reason=reason,
            not_before=self._tools.clock() + timedelta(seconds=seconds),
        )

    def _delivery(self, job: Job, **fields: Unpack[_Answer]) -> Delivery:
        call = {
            "app": job.app,
            "send": job.send,
            "page": job.page,
            "chunk": job.chunk,
            "generation": job.generation,
            "release": job.release,
            "at": self._tools.clock(),
        }
        return Delivery.model_validate({**call, **fields})

    def _note(self, job: Job, outcome: Outcome, seconds: float) -> None:
        label = type(outcome).__name__
        reason = outcome.code if isinstance(outcome, RetryAfter) else ""
        _counted(job.app, job.provider, label, reason).inc()
        _timed(job.app, job.provider).observe(seconds)
        log.info(
            "provider called",
            extra={"send": job.send, "page": job.page, "chunk": job.chunk, "app": job.app,
                   "provider": job.provider, "outcome": label, "reason": reason,
                   "players": len(job.players), "key": job.idempotency_key},
        )  # fmt: skip


_counted = lru_cache(4_096)(metrics.CALLS.labels)  # a look-up by labels takes a lock
_timed = lru_cache(1_024)(metrics.CALL_SECONDS.labels)


def _decode(record: Record) -> Job:
    return Job.parse(record.value)


def _invalid(players: Sequence[str]) -> list[PlayerOutcome]:
    return [PlayerOutcome(player=p, outcome="failed", reason="invalid_player") for p in players]
