"""A job's way through the dispatcher: its lane, its turn, its call, its delivery, and then its commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from sender_service.dispatcher.dispatcher import Dispatcher
from sender_service.dispatcher.tools import DispatcherTools
from sender_service.pages.deliveries import apply
from sender_service.pages.quiet_hours import quiet_hours_of, wait_through_quiet_hours
from sender_service.pages.transitions import due_chunks, release, to_job
from sender_service.providers.base import Provider
from sender_service.providers.onesignal.client import OneSignalClient
from sender_service.providers.onesignal.provider import ONESIGNAL_NAME
from shared.errors import LogUnavailable
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.models.app import App
from shared.models.delivery import Delivery
from shared.models.job import Job
from shared.settings import OneSignalSettings
from shared.stage.runner import Item
from tests.support.builders import (
    ONESIGNAL_APP_ID,
    SEND,
    VAULT,
    build_app,
    page_with,
    player_id,
    send,
)
from tests.support.clocks import START, ManualClock
from tests.support.pages import ANSWER_TIMEOUT
from tests.support.providers import on_client

NOWHERE = Record("t", 0, 0, b"", b"", "", 0)


@dataclass
class UnlimitedGovernor:
    """A governor that has turns or not, and remembers its calls."""

    gives: bool = True
    pressing: list[bool] = field(default_factory=list)
    paused: list[tuple[str, float]] = field(default_factory=list)

    async def acquire(
        self, app: App, provider: Provider, *, transactional: bool, within: float
    ) -> bool:
        self.pressing.append(transactional)
        return self.gives

    def pause(self, app: str, provider: str, seconds: float) -> None:
        self.paused.append((app, seconds))


@dataclass
class DeliveryLog:
    """Refuses the first few records."""

    refuses: int = 0
    deliveries: list[Delivery] = field(default_factory=list)

    async def publish(self, record: OutgoingRecord) -> None:
        if self.refuses:
            self.refuses -= 1
            raise LogUnavailable("Kafka: away")
        self.deliveries.append(Delivery.parse(record.value))


class Apps:
    def get(self, app: str) -> App:
        return build_app()


@dataclass
class DispatcherHarness:
    """The dispatcher, and a OneSignal that answers as a test sets it."""

    answers: Callable[[], httpx.Response] = lambda: httpx.Response(
        200, json={"id": ONESIGNAL_APP_ID}
    )
    turns: UnlimitedGovernor = field(default_factory=UnlimitedGovernor)
    log: DeliveryLog = field(default_factory=DeliveryLog)
    clock: ManualClock = field(default_factory=ManualClock)
    calls: int = 0

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        return self.answers()

    @property
    def dispatcher(self) -> Dispatcher:
        transport = httpx.MockTransport(self._answer)
        client = OneSignalClient(
            {"transactional": transport, "marketing": transport}, OneSignalSettings(), VAULT
        )
        providers = {ONESIGNAL_NAME: on_client(client)}
        tools: list[Any] = [Apps(), None, self.turns, providers, self.log, self.clock]
        return Dispatcher(DispatcherTools(*tools))

    async def handle(self, *jobs: Job) -> None:
        items = [Item(NOWHERE, job) for job in jobs]
        assert await self.dispatcher._handle(items) == []

    @property
    def reported(self) -> list[tuple[str, str | None]]:
        return [(d.outcome, d.reason) for d in self.log.deliveries]


def job(n: int = 0, **fields: Any) -> Job:
    base = {
        "app": "demo", "send": SEND, "page": 0, "chunk": str(n), "generation": 1, "priority": "marketing",
        "idempotencyKey": ONESIGNAL_APP_ID, "players": [player_id(n)], "body": {}, "releasedAt": START,
        "expiresAt": START + timedelta(hours=1),
    }  # fmt: skip
    return Job.model_validate({**base, **fields})


def test_each_priority_is_read_by_a_stage_of_its_own() -> None:
    # In one topic or group what is pressing would stand behind a million others.
    pressing, marketing = DispatcherHarness().dispatcher.stages()
    assert list(pressing.topics) == [TRANSACTIONAL_JOBS_TOPIC.name]
    assert list(marketing.topics) == [MARKETING_JOBS_TOPIC.name]
    assert pressing.group != marketing.group and pressing.name != marketing.name


def counted(outcome: str, reason: str) -> float:
    labels = {"app": "demo", "provider": ONESIGNAL_NAME, "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("carillon_provider_calls_total", labels) or 0.0


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (200, "Sent", ""),
        (429, "RetryAfter", "rate_limited"),
        (503, "RetryAfter", "server_error"),
    ],
)
async def test_reason_of_a_429_differs_from_a_5xx(status: int, outcome: str, reason: str) -> None:
    body = {"id": ONESIGNAL_APP_ID} if status == 200 else {}
    before = counted(outcome, reason)
    await DispatcherHarness(answers=lambda: httpx.Response(status, json=body)).handle(job())
    assert counted(outcome, reason) == before + 1


@pytest.mark.parametrize("priority", ["transactional", "marketing"])
async def test_turn_is_asked_for_in_its_own_path(priority: str) -> None:
    desk = DispatcherHarness()
    await desk.handle(job(priority=priority))
    assert desk.turns.pressing == [priority == "transactional"]
    assert desk.reported == [("sent", None)]


async def test_no_turn_in_time_is_handed_back_uncalled() -> None:
    # So that what stands behind it, perhaps another app's, has its turn.
    desk = DispatcherHarness(turns=UnlimitedGovernor(gives=False))
    await desk.handle(job())
    assert (desk.calls, desk.reported) == (0, [("deferred", "not_called")])
    assert desk.log.deliveries[0].not_before == START + timedelta(seconds=1)


async def test_what_has_expired_is_not_called() -> None:
    desk = DispatcherHarness()
    desk.clock.advance(3_600)
    await desk.handle(job())
    assert (desk.calls, desk.reported) == (0, [("deferred", "not_called")])


async def test_what_meets_the_night_is_not_called() -> None:
    desk = DispatcherHarness()
    evening = START + timedelta(minutes=10)
    await desk.handle(job(1, quietFrom=evening))
    desk.clock.advance(600)
    await desk.handle(job(2, quietFrom=evening))
    await desk.handle(job(3))
    assert desk.reported == [("sent", None), ("deferred", "not_called"), ("sent", None)]


@pytest.mark.parametrize("ahead", [0.001, 1.0, 90.0, 3_600.0])
async def test_a_dispatcher_whose_clock_is_ahead_returns_a_call_once_a_night(ahead: float) -> None:
    night = {"quietHours": {"from": "22:00", "to": "08:00"}}
    sending = send(campaign_snapshot={"policy": night}, expires_at=START + timedelta(days=2))
    quiet, waiting = quiet_hours_of(sending), page_with()
    desk = DispatcherHarness(clock=ManualClock(START + timedelta(seconds=ahead)))
    start, now = START + timedelta(hours=10, seconds=-ahead), START
    assert quiet is not None and quiet.until(start + timedelta(seconds=ahead), "") is not None
    while now < START + timedelta(hours=21):
        now = max(start, now + timedelta(seconds=max(ahead / 20, 5.0)))
        desk.clock.advance((now - desk.clock()).total_seconds() + ahead)
        wait_through_quiet_hours(waiting, sending, now, ANSWER_TIMEOUT)
        if due_chunks(waiting, sending, now, room=1, answer_timeout=ANSWER_TIMEOUT):
            release(waiting, "0", sending, now)
            await desk.handle(to_job(waiting, "0", {}, sending, quiet))
            apply(waiting, desk.log.deliveries[-1])
    assert desk.reported == [("deferred", "not_called"), ("sent", None)]
    assert (desk.calls, waiting.chunks["0"].releases) == (1, 2)


@pytest.mark.parametrize(("header", "seconds"), [({"retry-after": "7"}, 7.0), ({}, 1.0)])
async def test_429_pauses_the_app_for_all_replicas(header: dict[str, str], seconds: float) -> None:
    desk = DispatcherHarness(lambda: httpx.Response(429, headers=header))
    await desk.handle(job())
    assert desk.turns.paused == [("demo", seconds)]
    assert desk.reported == [("deferred", "rate_limited")]


async def test_other_failures_pause_nobody() -> None:
    desk = DispatcherHarness(lambda: httpx.Response(503, headers={"retry-after": "7"}))
    await desk.handle(job())
    assert (desk.turns.paused, desk.reported) == ([], [("deferred", "server_error")])


async def test_unit_is_done_only_when_all_of_its_deliveries_are_stored() -> None:
    # Else its offsets would be committed, and nobody would hear of the call before the answer timeout.
    desk = DispatcherHarness(log=DeliveryLog(refuses=1))
    with pytest.raises(LogUnavailable):
        await desk.handle(*map(job, range(3)))
    assert (desk.calls, len(desk.log.deliveries)) == (3, 2), "the others came to their end"
    await desk.handle(*map(job, range(3)))
    assert {d.chunk for d in desk.log.deliveries} == {"0", "1", "2"}
