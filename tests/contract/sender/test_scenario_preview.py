"""Previews of scenarios: who would enter or be pushed now, by reason, with texts; nothing is stored."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from sender_service.models.scenario.run import Entry
from tests.support.documents import store_people
from tests.support.ops_client import Ops, a_profile, offer
from tests.support.scenarios import SMALL, STEP
from tests.unit.sender.scenario_builders import DAY, HOUR, run_of

SCENARIO = "/v1/apps/shop/scenarios/basket"
CHOOSES = {**STEP, "campaign": "hello", "choose": {"from": "basket"}}
# Days since their last change, and items.
BASKETS: list[tuple[Any, ...]] = [(0, "tea"), (1, "tea"), (2, "cup"), (9, "tea"), (0,)]
BODY = {**SMALL, "steps": [CHOOSES]}


@pytest.fixture
async def crowd(empty_ops: Ops) -> Ops:
    """Return an API with five people: three with a basket of lately, one with an old one, one without."""
    ops, now = empty_ops, empty_ops.clock()
    one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_secret"}
    app = {"name": "shop", "quietHours": False, "oneSignal": one_signal}
    await ops.ok("PUT", "/v1/apps/shop", json=app)
    people = []
    for n, (age, *items) in enumerate(BASKETS):
        at = now - age * DAY
        lines = [{"item": item, "quantity": 1, "price": 20.0} for item in items]
        basket = {"items": lines, "total": 20.0, "currency": "EUR", "at": at, "since": at}
        player = {"id": str(uuid.uuid4()), "state": "subscribed"}
        people.append(a_profile(f"p-{n}" * 10, basket=basket, players=[player], lastSeenAt=at))
    await store_people(ops.database, *people)
    texts = {"headings": {"en": "Shop"}, "contents": {"en": "Your {{ item.id }}"}}
    campaign = offer(variants=[{"id": "a", **texts, "url": "https://shop.test/"}])
    await ops.ok("PUT", "/v1/apps/shop/campaigns/hello", json=campaign)
    await ops.ok("PUT", SCENARIO, json=BODY)
    return ops


async def add_run(ops: Ops, n: int, **fields: Any) -> None:
    at = fields.pop("at", ops.clock() - HOUR)
    given = {"app": "shop", "person": f"p-{n}" * 10, "basis": at, "due": at, **fields}
    entry = Entry(at=at, event="e-1", items=("tea",))
    await ops.context.stores.runs.insert([replace(run_of(), entry=entry, **given)])


async def preview(ops: Ops, draft: dict[str, Any] | None = None, query: str = "") -> Any:
    body = {} if draft is None else {"scenario": {**BODY, **draft}}
    return await ops.ok("POST", f"{SCENARIO}/preview{query}", json=body)


async def test_who_would_enter_is_counted_with_texts(crowd: Ops) -> None:
    found = await preview(crowd)
    assert found["entries"] == {"looked": 3, "exact": True, "enter": 3, "refused": {}}
    (step,) = found["steps"]
    assert (found["draft"], found["problems"]) == (False, [])
    assert (step["people"], step["skipped"]) == (3, {})
    assert step["preview"]["wouldReceive"] == {"people": 3, "players": 3}
    texts = sorted(sample["content"] for sample in step["preview"]["samples"])
    assert texts == ["Your cup", "Your tea", "Your tea"]
    for name in ("sends", "runs", "firings", "contacts"):
        assert await crowd.database[name].count_documents({}) == 0, name


async def test_runs_that_wait_are_looked_at_as_now(crowd: Ops) -> None:
    await add_run(crowd, 0)
    await add_run(crowd, 1, due=crowd.clock() + HOUR, basis=crowd.clock() + HOUR)
    await add_run(crowd, 4)
    found = await preview(crowd, {"until": ["emptied"]})
    assert found["runs"] == {
        "looked": 3, "exact": True, "push": 2, "wait": 0, "skip": {}, "end": {"emptied": 1}
    }  # fmt: skip
    assert found["entries"]["refused"] == {"waiting": 2}
    assert found["steps"][0]["people"] == 3  # two that wait, one that would enter


async def test_a_draft_stands_in_the_place_of_the_stored_one(crowd: Ops) -> None:
    at_least = {"basket": {"total": {"atLeast": 50}}}
    found = await preview(crowd, {"if": at_least})
    assert (found["draft"], found["entries"]["looked"]) == (True, 0)
    assert found["steps"][0]["preview"] is None
    assert (await crowd.ok("GET", SCENARIO))["version"] == 1


async def test_what_keeps_a_draft_from_being_on_is_named(crowd: Ops) -> None:
    gone = {**CHOOSES, "campaign": "gone", "choose": {"from": "bestSellers", "else": "without"}}
    found = await preview(crowd, {"steps": [gone]})
    problems = [(one["field"], one["code"]) for one in found["problems"]]
    assert problems == [
        ("steps.0.campaign", "unknown_campaign"), ("steps.0.choose.from", "no_catalogue")
    ]  # fmt: skip
    (step,) = found["steps"]
    assert (step["people"], step["preview"], step["problem"]["code"]) == (
        3,
        None,
        "unknown_campaign",
    )


async def test_a_stored_answer_is_a_draft(crowd: Ops) -> None:
    stored = await crowd.ok("GET", SCENARIO)
    for name, more in (("preview", {}), ("simulate", {"days": 1})):
        await crowd.ok("POST", f"{SCENARIO}/{name}", json={"scenario": stored, **more})


async def test_a_draft_of_no_scenario_is_previewed_and_a_bad_one_refused(crowd: Ops) -> None:
    path = "/v1/apps/shop/scenarios/other/preview"
    assert (await crowd.ok("POST", path, json={"scenario": BODY}))["entries"]["enter"] == 3
    answer = await crowd.call("POST", path, json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_scenario")
    answer = await crowd.call("POST", path, json={"scenario": {**BODY, "until": ["bougt"]}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("body.scenario.until")


async def test_the_clocks_people_are_all_who_fulfil_if(crowd: Ops) -> None:
    daily = {"on": "daily", "at": "10:00"}
    found = await preview(crowd, {"enter": daily})
    assert found["entries"] == {"looked": 5, "exact": True, "enter": 5, "refused": {}}
    assert found["steps"][0]["skipped"] == {"nothing_to_offer": 1}  # whose basket is empty


async def test_no_more_are_looked_at_than_was_asked(crowd: Ops) -> None:
    await add_run(crowd, 0)
    await add_run(crowd, 1)
    found = await preview(crowd, {"enter": {"on": "daily", "at": "10:00"}}, "?people=1")
    assert (found["entries"]["looked"], found["entries"]["exact"]) == (1, False)
    assert (found["runs"]["looked"], found["runs"]["exact"]) == (1, False)
    found = await preview(crowd, query="?people=2")
    assert (found["runs"]["looked"], found["runs"]["exact"]) == (2, True)
    assert (await crowd.call("POST", f"{SCENARIO}/preview?people=5001", json={})).status_code == 422


async def test_who_does_not_fulfil_a_steps_condition_is_skipped(crowd: Ops) -> None:
    only = {**CHOOSES, "only": {"basket": {"items": ["tea"]}}}
    (step,) = (await preview(crowd, {"steps": [only]}))["steps"]
    assert (step["people"], step["skipped"]) == (2, {"only": 1})


async def test_a_run_is_pushed_by_the_version_under_which_she_entered(crowd: Ops) -> None:
    await add_run(crowd, 0, version=1)
    other = {**CHOOSES, "campaign": "bye"}
    await crowd.ok("PUT", "/v1/apps/shop/campaigns/bye", json=offer())
    await crowd.ok("PUT", SCENARIO, json={**BODY, "steps": [other]})
    steps = (await preview(crowd))["steps"]
    assert [(one["campaign"], one["people"]) for one in steps] == [("bye", 2), ("hello", 1)]


async def test_runs_of_one_person_that_are_due_compete(crowd: Ops) -> None:
    await crowd.ok(
        "PUT", "/v1/apps/shop/scenarios/first", json={**BODY, "priority": 90, "enabled": True}
    )
    await add_run(crowd, 0)
    crowd.clock.advance(60)
    await add_run(crowd, 0, scenario="first", at=crowd.clock())
    found = (await preview(crowd))["runs"]
    assert (found["push"], found["skip"]) == (0, {"outranked": 1})


async def test_a_preview_reads_within_its_time(crowd: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sender_service.ops.scenario_preview_run.READING_SECONDS", -1.0)
    monkeypatch.setattr("sender_service.ops.scenario_preview_run.RUNS_AT_ONCE", 1)
    for n in range(3):
        await add_run(crowd, n)
    found = await preview(crowd, {"enter": {"on": "daily", "at": "10:00"}})
    assert not found["entries"]["exact"]
    assert (found["runs"]["looked"], found["runs"]["exact"]) == (1, False)


async def test_a_preview_shows_twenty_texts_in_all(crowd: Ops) -> None:
    people = []
    for n in range(25):  # each with a text of her own
        lines = [{"item": f"item {n}", "quantity": 1, "price": 20.0}]
        at = crowd.clock()
        basket = {"items": lines, "total": 20.0, "currency": "EUR", "at": at, "since": at}
        player = {"id": str(uuid.uuid4()), "state": "subscribed"}
        profile = a_profile(f"more-{n:02}" * 5, basket=basket, players=[player], lastSeenAt=at)
        people.append(profile)
    await store_people(crowd.database, *people)
    (step,) = (await preview(crowd))["steps"]
    assert (step["people"], len(step["preview"]["samples"])) == (28, 20)
