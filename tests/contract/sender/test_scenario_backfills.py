"""Backfills over HTTP: begun, worked off, known; and by the command."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import orjson
import pytest
import respx

from sender_service.cli.scenario_tasks import LOOKS_UNTAKEN, WAITS
from sender_service.ops.scenario_examples import BACKFILL
from sender_service.scenarios.backfiller import Backfiller
from shared.clock import utc_now
from shared.models.wire import to_iso
from tests.contract.sender.commands import URL, run
from tests.contract.sender.conftest import Api
from tests.integration.sender.backfilled_shop import ReadLog
from tests.integration.sender.waker_harness import StillComponent
from tests.support.scenarios import SMALL, STEP
from tests.unit.sender.scenario_builders import DAY, HOUR

SCENARIOS = "/v1/apps/demo/scenarios"
BASKET = f"{SCENARIOS}/basket"
HELLO = {**SMALL, "steps": [{**STEP, "campaign": "welcome"}]}
DAILY = {**SMALL, "enter": {"on": "daily", "at": "10:00"}}


def asked(back: timedelta = DAY, spread: object = 60) -> dict[str, Any]:
    return {"since": to_iso(utc_now() - back), "spread": spread}


@pytest.fixture
async def basket(shop: Api) -> Api:
    await shop.put_app(timeZone="Europe/Prague")
    await shop.ok("PUT", BASKET, json=HELLO)
    return shop


async def test_backfill_is_begun_worked_off_and_known(basket: Api) -> None:
    await basket.ok("PUT", BASKET, json={**HELLO, "enabled": True})
    begun = await basket.call("POST", f"{BASKET}/backfill", json=asked(spread=90))
    assert (begun.status_code, begun.json()["state"], begun.json()["n"]) == (202, "waiting", 1)
    assert (begun.json()["spread"], begun.json()["version"]) == (90, 2)
    again = await basket.call("POST", f"{BASKET}/backfill", json=asked())
    assert (again.status_code, again.json()["code"]) == (409, "already_running")
    one = Backfiller.of(basket.sender.context)
    one.read = ReadLog([])
    await one.look(cast(Any, StillComponent()), asyncio.Event())
    found = await basket.ok("GET", f"{BASKET}/backfills/1")
    assert (found["state"], found["entered"], found["refused"]) == ("done", 0, {})
    trail = (await basket.ok("GET", "/v1/audit"))["items"]
    entries = [
        (one["method"], one["status"]) for one in trail if one["route"].endswith("/backfill")
    ]
    assert entries == [("POST", 409), ("POST", 202)]


async def test_unknown_and_wrong_requests_are_named(basket: Api) -> None:
    for body, field, code in (
        ({}, "body.since", "missing"),
        (asked(spread=59), "body.spread", None),
        (asked(spread=721), "body.spread", None),
        (asked(spread="60"), "body.spread", None),
        ({**asked(), "since": "yesterday"}, "body.since", None),
        ({**asked(), "hours": 3}, "body.hours", None),
        (asked(back=7 * DAY + HOUR), "body.since", "too_old"),
        (asked(back=-HOUR), "body.since", "in_future"),
    ):
        answer = await basket.call("POST", f"{BASKET}/backfill", json=body)
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["field"]) == (422, field)
        assert code in (None, error["code"])
    off = await basket.call("POST", f"{BASKET}/backfill", json=asked())
    assert (off.status_code, off.json()["code"]) == (409, "scenario_disabled")
    await basket.ok("PUT", f"{SCENARIOS}/daily", json=DAILY)
    clock = await basket.call("POST", f"{SCENARIOS}/daily/backfill", json=asked())
    assert (clock.status_code, clock.json()["code"]) == (422, "not_of_moment")
    missing = await basket.call("POST", f"{SCENARIOS}/other/backfill", json=asked())
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_scenario")
    for path in (f"{BASKET}/backfills/9", f"{SCENARIOS}/other/backfills/1"):
        answer = await basket.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_backfill")


@respx.mock(base_url=URL)
def test_command_waits_for_the_end_and_prints_it(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setattr("sender_service.cli.scenario_tasks.LOOK_AGAIN_SECONDS", 0)
    waiting = {**BACKFILL, "state": "waiting"}
    failed = {**BACKFILL, "state": "failed", "fault": "changed"}
    begun = respx_mock.post(f"{BASKET}/backfill").respond(202, json=waiting)
    known = respx_mock.get(f"{BASKET}/backfills/1")
    answers = (*[waiting] * LOOKS_UNTAKEN, BACKFILL, failed)
    known.side_effect = [respx.MockResponse(200, json=one) for one in answers]
    named = ("--app", "demo", "--scenario", "basket")
    since = "2026-11-29T10:00:00Z"
    assert run("scenario", "backfill", *named, "--since", since) == 0
    assert orjson.loads(begun.calls[0].request.content) == {"since": since, "spread": 60}
    screen = capsys.readouterr()
    assert "310" in screen.out and "bought 84, over 1200" in screen.out
    assert screen.err.count(WAITS) == 1
    assert run("scenario", "backfilled", *named, "1") == 1
    assert "changed" in capsys.readouterr().err
