"""Simulations over HTTP: begun, worked off, known; and by the command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import respx

from sender_service.ops.scenario_examples import SCENARIO, SIMULATION
from sender_service.scenarios.simulator import Simulator
from shared.clock import utc_now
from shared.models.facts import BasketChanged, FactLine
from shared.models.person_moment import PersonMoment
from tests.contract.sender.commands import URL, run
from tests.contract.sender.conftest import Api
from tests.integration.sender.waker_harness import StillComponent
from tests.support.documents import build_profile, store_people
from tests.support.scenarios import SMALL
from tests.unit.sender.scenario_builders import HOUR

SCENARIOS = "/v1/apps/demo/scenarios"
BASKET = f"{SCENARIOS}/basket"


@pytest.fixture
async def basket(shop: Api) -> Api:
    await shop.ok("PUT", BASKET, json=SMALL)
    return shop


async def work(api: Api) -> None:
    """Work off what waits."""
    await Simulator.of(api.sender.context).look(cast(Any, StillComponent()), asyncio.Event())


async def fill_basket(api: Api, person: str) -> None:
    """Store a person who filled a basket an hour ago."""
    at = utc_now() - HOUR
    await store_people(api.sender.context.database, build_profile(person))
    fact = BasketChanged("e-1", at, [FactLine("tea", 1, 20.0)], total=20.0)
    moment = PersonMoment(app="demo", person=person, seen_at=at, subscribed=1, facts=[fact])
    await api.sender.context.stores.histories.add("demo", [moment], at)


async def test_draft_is_simulated_beside_the_present_scenario(basket: Api) -> None:
    for person in ("ann", "bob"):
        await fill_basket(basket, person)
    draft = {**SMALL, "if": {"basket": {"total": {"atLeast": 50}}}}
    begun = await basket.call("POST", f"{BASKET}/simulate", json={"days": 1, "scenario": draft})
    assert (begun.status_code, begun.json()["state"], begun.json()["n"]) == (202, "waiting", 1)
    again = await basket.call("POST", f"{BASKET}/simulate", json={"days": 1})
    assert (again.status_code, again.json()["code"]) == (409, "already_running")
    await work(basket)
    found = await basket.ok("GET", f"{BASKET}/simulations/1")
    assert (found["state"], found["done"], found["persons"]) == ("done", 2, 2)
    assert found["base"]["share"] == 1 and found["base"]["counted"] == 2
    assert found["draft"]["refused"] == {"if": 2} and found["draft"]["pushes"]["sample"] == 0
    assert found["present"]["entered"]["sample"] == 0, "it is off"
    await basket.ok("POST", f"{BASKET}/simulate", json={"days": 1})
    await work(basket)
    stored = await basket.ok("GET", f"{BASKET}/simulations/2")
    whole = {"sample": 2, "estimate": 2, "low": 2, "high": 2}
    assert stored["draft"]["entered"] == stored["draft"]["pushes"] == whole, "as if it were on"
    assert [hour["sample"] for hour in stored["draft"]["hours"]] == [2]
    assert stored["draft"]["pushesAPerson"] == {"1": 2}


async def test_draft_needs_no_stored_scenario(shop: Api) -> None:
    path = f"{SCENARIOS}/new"
    assert (await shop.call("POST", f"{path}/simulate", json={"days": 1})).status_code == 404
    await shop.ok("POST", f"{path}/simulate", json={"days": 14, "scenario": SMALL})
    await work(shop)
    found = await shop.ok("GET", f"{path}/simulations/1")
    assert found["present"] is None and found["draft"]["pushes"]["sample"] == 0


async def test_unknown_and_wrong_requests_are_named(basket: Api) -> None:
    for body, field in (
        ({}, "body.days"),
        ({"days": 15}, "body.days"),
        ({"days": 1, "draft": SMALL}, "body.draft"),
        ({"days": 1, "scenario": {**SMALL, "until": ["never"]}}, "body.scenario.until.0"),
        (
            {"days": 1, "scenario": {**SMALL, "enter": {"on": "daily", "at": "10:00"}}},
            "body.scenario.enter.on",
        ),
    ):
        answer = await basket.call("POST", f"{BASKET}/simulate", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    for path in (f"{BASKET}/simulations/9", f"{SCENARIOS}/other/simulations/1"):
        answer = await basket.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_simulation")


@respx.mock(base_url=URL)
def test_command_waits_for_the_result_and_prints_it(
    respx_mock: respx.MockRouter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setattr("sender_service.cli.scenario_tasks.LOOK_AGAIN_SECONDS", 0)
    file = tmp_path / "scenario.json"
    file.write_bytes(orjson.dumps(SCENARIO))
    waiting = {**SIMULATION, "state": "waiting", "base": None, "draft": None}
    begun = respx_mock.post(f"{BASKET}/simulate").respond(202, json=waiting)
    known = respx_mock.get(f"{BASKET}/simulations/3")
    known.side_effect = [respx.MockResponse(200, json=one) for one in (waiting, SIMULATION)]
    named = ("--app", "demo", "--scenario", "basket")
    assert run("scenario", "simulate", *named, "--days", "3", str(file)) == 0
    assert orjson.loads(begun.calls[0].request.content) == {"days": 3, "scenario": SCENARIO}
    printed = capsys.readouterr().out
    for text in ("127, from 93 to 178", "420 people, 25.00% of all", "merged 10", "late 1"):
        assert text in printed
