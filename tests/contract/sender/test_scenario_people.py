"""People of a scenario over HTTP: who waits, what fired, ends of runs, figures of the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.decide.progress import end_run
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run, RunPush, SkippedStep
from sender_service.models.scenario.run_name import run_name
from sender_service.store.stores import Stores
from shared.clock import utc_now
from shared.models.wire import to_iso
from tests.contract.sender.conftest import Api
from tests.integration.sender.scenario_stores import firing
from tests.support.clocks import START
from tests.support.scenarios import SMALL
from tests.unit.sender.scenario_builders import DAY, ENTRY, HOUR, MINUTE, run_of

SCENARIOS = "/v1/apps/demo/scenarios"
PEOPLE, FIRINGS = f"{SCENARIOS}/basket/people", f"{SCENARIOS}/basket/firings"


@pytest.fixture
async def basket(shop: Api) -> Api:
    await shop.ok("PUT", f"{SCENARIOS}/basket", json=SMALL)
    return shop


def stores_of(api: Api) -> Stores:
    return api.sender.context.stores


def a_run(n: int, **fields: Any) -> Run:
    return replace(run_of(), **{"person": f"p-{n}", "due": START + HOUR, **fields})


async def add(api: Api, *runs: Run) -> list[str]:
    assert len(await stores_of(api).runs.insert(runs)) == len(runs)
    return [run_name(run) for run in runs]


async def fire(api: Api, n: int, counts: dict[str, int] | None = None, **fields: Any) -> Firing:
    one = firing(n, **fields)
    await stores_of(api).firings.insert(one)
    if counts is not None:
        await stores_of(api).firings.close(one.id, counts)
    return one


async def names(api: Api, path: str) -> list[str]:
    return [run["run"] for run in (await api.ok("GET", path))["items"]]


async def test_a_run_shows_its_way(basket: Api) -> None:
    push = RunPush(step="hour", firing="f-1", at=START + HOUR, items=("tea",))
    skipped = SkippedStep(step="noon", why="only", at=START)
    ended = end_run(a_run(1, pushes=(push,), skipped=(skipped,)), "bought", START + 2 * HOUR)
    (name,) = await add(basket, ended)
    assert (await basket.ok("GET", PEOPLE)) == {
        "items": [{
            "run": name, "person": "p-1", "state": "over", "version": 1,
            "entered": {"at": to_iso(START), "event": "e-1", "items": ["tea"]},
            "step": "hour", "due": None, "ended": {"why": "bought", "at": to_iso(START + 2 * HOUR)},
            "pushes": [{"step": "hour", "send": "f-1", "at": to_iso(START + HOUR), "items": ["tea"]}],
            "skipped": [{"step": "noon", "why": "only", "at": to_iso(START)}],
        }],
        "next": None,
    }  # fmt: skip


async def test_people_are_listed_by_state_and_step_a_page_at_a_time(basket: Api) -> None:
    over = end_run(a_run(3), "bought", START)
    one, two, three, four = await add(basket, a_run(1), a_run(2, step="day"), over, a_run(4))
    await add(basket, a_run(5, scenario="other"))
    assert await names(basket, PEOPLE) == [one, two, three, four]
    assert await names(basket, f"{PEOPLE}?state=waiting") == [one, two, four]
    assert await names(basket, f"{PEOPLE}?state=waiting&step=hour") == [one, four]
    assert await names(basket, f"{PEOPLE}?state=over") == [three]
    page = await basket.ok("GET", f"{PEOPLE}?limit=3")
    assert page["next"] == three
    assert (await basket.ok("GET", f"{PEOPLE}?limit=1&after={three}")) == {
        "items": [(await basket.ok("GET", PEOPLE))["items"][3]], "next": None
    }  # fmt: skip
    await stores_of(basket).runs.delete_person("demo", "p-2")  # erased between two pages
    assert await names(basket, f"{PEOPLE}?after={two}") == [three, four]


async def test_a_runs_name_is_without_its_key(basket: Api) -> None:
    keyed = a_run(1, entry=replace(ENTRY, key="jana@shop.example/7"))
    (name,) = await add(basket, keyed)
    assert name.startswith("p-1.") and "jana" not in name
    ended = await basket.ok("POST", f"{PEOPLE}/{name}/end")
    assert ended["entered"]["key"] == "jana@shop.example/7"
    assert ended["state"] == "over" and ended["ended"]["why"] == "ended"


async def test_ending_again_changes_nothing(basket: Api) -> None:
    (name,) = await add(basket, a_run(1))
    first = await basket.ok("POST", f"{PEOPLE}/{name}/end")
    assert await basket.ok("POST", f"{PEOPLE}/{name}/end") == first
    assert await names(basket, f"{PEOPLE}?state=waiting") == []


async def test_a_run_of_another_scenario_is_unknown(basket: Api) -> None:
    await basket.ok("PUT", f"{SCENARIOS}/other", json=SMALL)
    (name,) = await add(basket, a_run(1))
    for path in (f"{SCENARIOS}/other/people/{name}", f"{PEOPLE}/p-1.000000000000"):
        answer = await basket.call("POST", f"{path}/end")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run"), path
    answer = await basket.call("POST", f"{PEOPLE}/demo:basket:p-1:1/end")
    assert "must be a run's name" in answer.json()["message"]
    assert await names(basket, f"{PEOPLE}?state=waiting") == [name]


async def test_firings_are_listed_newest_first_and_none_is_lost_between_pages(basket: Api) -> None:
    now = utc_now()
    some = [await fire(basket, n, due_at=now - n * MINUTE) for n in range(3)]
    same = [await fire(basket, n, due_at=now - HOUR) for n in range(3, 6)]
    await fire(basket, 9, due_at=now, scenario="other")
    first = await basket.ok("GET", f"{FIRINGS}?limit=2")
    assert [one["id"] for one in first["items"]] == [some[0].id, some[1].id]
    second = await basket.ok("GET", f"{FIRINGS}?limit=2&before={first['next']}")
    assert {one["id"] for one in second["items"]} == {one.id for one in [some[2], *same]}
    assert second["next"] is None
    whole = (await basket.ok("GET", FIRINGS))["items"]
    assert whole == [*first["items"], *second["items"]]
    assert whole[0]["state"] == "open" and whole[0]["counts"] == {}


async def test_the_list_shows_who_waits_what_was_pushed_and_the_last_trouble(basket: Api) -> None:
    await basket.ok("PUT", f"{SCENARIOS}/other", json=SMALL)
    await add(basket, a_run(1), a_run(2), end_run(a_run(3), "bought", START))
    now = utc_now()
    await fire(basket, 1, {"sent": 5, "capped": 2}, due_at=now)
    bad = await fire(basket, 2, {"campaign_disabled": 3, "sent": 1}, due_at=now - MINUTE)
    await fire(basket, 3, {"sent": 100}, due_at=now - 2 * DAY)
    other = await fire(basket, 4, due_at=now - timedelta(seconds=1), scenario="other")
    await stores_of(basket).firings.set_late(other.id)
    found = (await basket.ok("GET", SCENARIOS))["items"]
    first, second = found
    assert (first["waiting"], second["waiting"]) == (2, 0)
    is_midnight = (now - MINUTE).date() != now.date()
    assert first["pushedToday"] == (5 if is_midnight else 6) and second["pushedToday"] == 0
    assert first["lastTrouble"] == {
        "at": to_iso(bad.due_at), "send": bad.id, "step": "hour", "why": "campaign_disabled",
        "people": 3,
    }  # fmt: skip
    trouble = second["lastTrouble"]
    assert (trouble["send"], trouble["why"], trouble["people"]) == (other.id, "late", None)
