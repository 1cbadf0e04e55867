"""Triggers of scenarios from Kafka: each needs its firing, and counts by its id alone."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sender_service.models.scenario.firing import Member, trigger_of
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import Entry, Run, RunPush
from sender_service.models.send import NEVER
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from sender_service.pages.quiet_hours import quiet_hours_of
from shared.clock import utc_now
from tests.integration.sender.intake_harness import IntakeHarness, a_trigger, logins, people
from tests.support.firings import build_firing
from tests.support.scenarios import build_scenario

PERSONS = [uuid.uuid4().hex, uuid.uuid4().hex]
REF = ScenarioRef(id="abandoned-basket", step="hour", version=1)


async def fire(harness: IntakeHarness, **fields: Any) -> dict[str, Any]:
    """Store a firing; return its trigger."""
    members = tuple(Member(run=f"r{n}", person=person) for n, person in enumerate(PERSONS))
    firing = build_firing(str(uuid.uuid4()), utc_now(), **{"members": members, **fields})
    assert await harness.sender.context.stores.firings.insert(firing)
    trigger: dict[str, Any] = orjson.loads(trigger_of(firing))
    return trigger


async def test_case_16_a_firing_that_is_published_again_is_one_send(harness: IntakeHarness) -> None:
    trigger = await fire(harness)
    assert await harness.publish_triggers(trigger, trigger) == [None, None]
    send = await harness.send(trigger["id"])
    assert (send.state, send.priority, send.scenario) == ("planning", "triggered", REF)
    # Between two publications an erasure blanked one member.
    fewer = {**trigger, "recipients": trigger["recipients"][:1]}
    nobody = {**trigger, "recipients": [{"person": "erased"}]}
    assert await harness.publish_triggers(fewer, nobody, trigger) == [None] * 3
    assert await harness.send(trigger["id"]) == send


async def test_a_firing_of_nobody_left_is_a_refused_send(harness: IntakeHarness) -> None:
    trigger = await fire(harness)
    nobody = {**trigger, "recipients": [{"person": "erased"}]}
    assert await harness.publish_triggers(nobody, trigger) == [None, None]
    assert (await harness.send(trigger["id"])).state == "refused"


SCENARIO = {"id": "abandoned-basket", "step": "hour", "version": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": str(uuid.uuid4())},
        {"campaign": "other"},
        {"scenario": {**SCENARIO, "id": "welcome"}},
        {"scenario": {**SCENARIO, "step": "day"}},
        {"scenario": {**SCENARIO, "version": 2}},
        {"scenario": None},
        {"priority": "marketing"},
        {"priority": "transactional"},
    ],
    ids=["id", "campaign", "scenario", "step", "version", "none", "marketing", "transactional"],
)
async def test_without_its_firing_it_is_a_dead_letter(
    harness: IntakeHarness, changes: dict[str, Any]
) -> None:
    trigger = {**await fire(harness), **changes}
    in_parts = {**trigger, "part": 1, "parts": 2}
    assert await harness.publish_triggers(trigger, in_parts) == ["unknown_firing"] * 2
    assert await harness.sender.context.stores.sends.get(trigger["id"]) is None


async def test_a_firing_of_another_app_is_none(harness: IntakeHarness) -> None:
    trigger = await fire(harness, app="other")
    assert await harness.publish_triggers({**trigger, "app": "demo"}) == ["unknown_firing"]


async def test_case_34_a_campaign_that_is_gone_refuses_it_by_name(harness: IntakeHarness) -> None:
    trigger = await fire(harness, campaign="gone")
    assert await harness.publish_triggers(trigger) == [None]
    send = await harness.send(trigger["id"])
    assert send.state == "refused" and str(send.error).startswith("unknown_campaign")
    assert (send.priority, send.scenario) == ("triggered", REF)


async def test_nobody_elses_trigger_takes_its_id(harness: IntakeHarness) -> None:
    trigger = await fire(harness)
    assert await harness.publish_triggers(trigger) == [None]
    other = a_trigger(id=trigger["id"], audience={"all": True})
    assert await harness.publish_triggers(other) == ["trigger_id_reused"]


async def planned(harness: IntakeHarness, *names: str) -> dict[str, Any]:
    """Plan a firing for these people; return the account of its send."""
    trigger = {**await fire(harness), "recipients": logins(*names)}
    await push_runs(harness, trigger["id"], names)
    assert await harness.publish_triggers(trigger) == [None]
    await harness.plan()
    return await ask(harness, f"/v1/sends/{trigger['id']}")


async def push_runs(harness: IntakeHarness, firing: str, names: Collection[str]) -> None:
    """Store a run of each person, whose step the firing pushes, and its scenario."""
    stores, now = harness.sender.context.stores, utc_now()
    await stores.scenarios.put(replace(build_scenario(enabled=True), id=REF.id), now)
    found = harness.database["profiles"].find({"login": {"$in": list(names)}}, {"_id": 1})
    run = Run(
        app="demo", scenario=REF.id, person="", version=REF.version, step=None, basis=now, due=NEVER,
        entry=Entry(at=now, event=firing, key=firing),
        pushes=(RunPush(step=REF.step, firing=firing, at=now),),
    )  # fmt: skip
    await stores.runs.insert([replace(run, person=each["_id"]) async for each in found])


async def ask(harness: IntakeHarness, path: str) -> dict[str, Any]:
    answer = await harness.http.get(path)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def change_app(harness: IntakeHarness, **fields: Any) -> None:
    app = await ask(harness, "/v1/apps/demo")
    await harness.put("/v1/apps/demo", {**app, **fields})
    await harness.sender.context.apps.refresh()


async def test_rules_of_marketing_apply_and_the_gap(harness: IntakeHarness) -> None:
    names = [f"n{n}" for n in range(20)]
    await people(harness, *names)
    await change_app(harness, controlGroup=0.5, timeZone="Europe/Prague")
    account = await planned(harness, *names)
    held_out = account["suppressed"]["holdout"]
    assert 0 < held_out < 20 and account["pending"] == 20 - held_out
    assert (account["priority"], account["scenario"]) == ("triggered", SCENARIO)
    again = await planned(harness, *names)
    assert again["suppressed"] == {"holdout": held_out, "capped": 20 - held_out}
    await change_app(harness, scenarios={"gapMinutes": 0})
    assert (await planned(harness, *names))["suppressed"] == {"holdout": held_out}
    listed = await ask(harness, "/v1/sends?app=demo")
    assert [send["scenario"] for send in listed["items"]] == [SCENARIO] * 3
    assert (await ask(harness, "/v1/apps/demo/campaigns/welcome/report"))["sends"] == 3


async def test_it_waits_through_the_usual_night(harness: IntakeHarness) -> None:
    await people(harness, "ann")
    account = await planned(harness, "ann")
    send = await harness.sender.context.stores.sends.without_list(account["id"])
    assert send is not None
    quiet = quiet_hours_of(send)
    assert quiet is not None and quiet.hours == USUAL_NIGHT
    await change_app(harness, quietHours=False)
    account = await planned(harness, "ann")
    send = await harness.sender.context.stores.sends.without_list(account["id"])
    assert send is not None and quiet_hours_of(send) is None
