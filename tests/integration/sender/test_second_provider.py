"""Tests of a second provider, one folder and one line of the registry: its pushes go the whole way."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from sender_service.providers.base import NotSent, Outcome, Refused, RetryAfter, Sent
from sender_service.providers.registry import PROVIDERS
from sender_service.providers.webpush.provider import WEBPUSH_NAME, open_webpush
from sender_service.providers.webpush.responses import classify
from sender_service.scheduler.reserving import EXHAUSTED_DELAY
from sender_service.store.limits import budget_id
from shared.mongo.collections import APPS, BUDGETS, PLAYERS, PROFILES
from tests.integration.sender.pipeline import IDLE, Pipeline, errors, open_line
from tests.integration.sender.sender_harness import APP
from tests.support.providers import channel_of
from tests.support.push_service import PushService, build_vapid_key, open_push_service

REGISTRY = {**PROVIDERS, WEBPUSH_NAME: open_webpush}
KEY = str(uuid.uuid4())


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with open_push_service() as opened:
        yield opened


@pytest.fixture
async def line(
    mongo_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pipeline]:
    monkeypatch.setenv("CARILLON_PROVIDERS__WEBPUSH__PRIVATE_KEY", build_vapid_key())
    monkeypatch.setenv("CARILLON_PROVIDERS__WEBPUSH__SUBJECT", "mailto:ops@shop.example")
    async with open_line(mongo_uri, tmp_path, registry=REGISTRY) as opened:
        database = opened.world.database
        await database[APPS.name].update_one(
            {"_id": APP}, {"$set": {"providers": {WEBPUSH_NAME: {}}}}
        )
        await opened.scheduler._tools.apps.refresh()
        yield opened


async def subscribe(line: Pipeline, subscription: dict[str, Any]) -> tuple[str, str]:
    """Add a person with a browser at OneSignal and one at the push service; return the players."""
    ours, theirs = str(uuid.uuid4()), str(uuid.uuid4())
    await line.world.person("jana", [theirs, ours])
    await line.remote.browsers(None, ids=[theirs], odds=IDLE)
    database = line.world.database
    await database[PROFILES.name].update_one(
        {"_id": "jana", "players.id": ours}, {"$set": {"players.1.provider": WEBPUSH_NAME}}
    )
    entry = {"provider": WEBPUSH_NAME, "subscription": subscription}
    await database[PLAYERS.name].update_one({"_id": ours}, {"$set": entry})
    return ours, theirs


async def plan(line: Pipeline, **fields: Any) -> str:
    send = await line.send_trigger(**fields)
    chunk_members = line.scheduler._tools.budget.chunk_members
    assert await line.world.planner(chunk_members=chunk_members).plan_one()
    return send


async def test_push_goes_from_planner_to_accounting(line: Pipeline, service: PushService) -> None:
    _, theirs = await subscribe(line, service.subscription)
    send = await plan(line)
    (page,) = await line.pages(send)
    assert {chunk.provider for chunk in page.chunks.values()} == {WEBPUSH_NAME, *PROVIDERS}
    assert await line.work() == 2

    (push,) = service.received
    message = push.message
    assert (message["body"], message["url"]) == ("For jana", "https://shop.example/")
    assert (message["tag"], message["data"]["carillon"][:3]) == (send, "v1.")
    assert push.headers["topic"] == send.replace("-", "")
    assert int(push.headers["ttl"]) > 0
    assert push.headers["authorization"].startswith("vapid t=")
    assert await line.reached() == [theirs], "OneSignal has the person's other browser"

    sums = await line.world.sums(send)
    assert (sums.sent, sums.people["sent"], sums.pending) == (2, 1, 0)
    budgets = line.world.database[BUDGETS.name]
    counted = await budgets.find_one({"_id": budget_id(channel_of(APP))})
    assert counted is not None and sum(counted["minutes"].values()) == 1
    assert await budgets.count_documents({}) == 1, "no window, so nothing is counted"


async def test_job_names_no_subscription(line: Pipeline, service: PushService) -> None:
    ours, _ = await subscribe(line, service.subscription)
    await plan(line, recipients=[{"player": ours, "variables": {"name": "Jana"}}])
    assert await line.release() == 1
    ((job,),) = [[out.value for out in line.log.records if out.type == "job"]]
    assert service.address.encode() not in job and b'"provider":"webpush"' in job


async def test_subscription_that_is_over_fails_its_player(
    line: Pipeline, service: PushService
) -> None:
    service.status = 410
    ours, _ = await subscribe(line, service.subscription)
    send = await plan(line, recipients=[{"player": ours, "variables": {"name": "Jana"}}])
    assert await line.work() == 1
    assert (await line.world.sums(send)).failed == {"invalid_player": 1}


async def test_provider_that_is_not_open_reaches_nobody(
    line: Pipeline, service: PushService
) -> None:
    """Check a provider that was taken from the registry, whose players are still in the ledger."""
    ours, _ = await subscribe(line, service.subscription)
    send = await line.send_trigger(recipients=[{"player": ours, "variables": {"name": "Jana"}}])
    assert await line.world.planner().plan_one()
    assert (await line.world.sums(send)).suppressed == {"invalid": 1}


async def test_released_call_waits_for_its_provider(
    line: Pipeline, service: PushService, caplog: pytest.LogCaptureFixture
) -> None:
    """Expect the call once a replica that lacks the provider deferred the job and has the page next."""
    await subscribe(line, service.subscription)
    send = await plan(line)
    assert await line.release() == 2
    providers = cast(dict[str, Any], line.scheduler._tools.makers.providers)
    webpush = providers.pop(WEBPUSH_NAME)
    assert await line.work() == 2, "each job is answered once"
    (page,) = await line.pages(send)
    (waiting,) = [one for one in page.chunks.values() if one.provider == WEBPUSH_NAME]
    assert (waiting.state, waiting.releases, waiting.is_attempted) == ("planned", 1, False)
    assert errors(caplog) == []

    providers[WEBPUSH_NAME] = webpush
    line.world.clock.advance(EXHAUSTED_DELAY.total_seconds())
    assert await line.work() == 1
    assert len(service.received) == 1 and (await line.world.sums(send)).sent == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Sent(KEY, replayed=False)),
        (404, NotSent()),
        (410, NotSent()),
        (429, RetryAfter("rate_limited", 7.0)),
        (500, RetryAfter("server_error", 7.0)),
        (503, RetryAfter("server_error", 7.0)),
        (400, Refused("call", "webpush_400", "the push service answered HTTP 400")),
        (413, Refused("call", "webpush_413", "the push service answered HTTP 413")),
    ],
)
def test_answers_of_push_services(status: int, outcome: Outcome) -> None:
    assert classify(status, "7", KEY) == outcome
