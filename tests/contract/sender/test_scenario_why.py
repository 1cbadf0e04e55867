"""Explanation of a person in a scenario: runs, outcomes of their pushes, a look at her now in sentences."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sender_service.models.decide.progress import end_run, push_run
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.run_name import run_name
from shared.models.wire import to_iso
from tests.support.ops_client import PERSON, Ops
from tests.support.scenarios import SMALL, STEP
from tests.unit.sender.scenario_builders import HOUR, run_of

SCENARIO = "/v1/apps/shop/scenarios/basket"
TEA = {"item": "tea", "quantity": 1, "price": 20.0}
AFTER_AN_HOUR = {**STEP, "campaign": "hello", "after": {"minutes": 60}}


def basket(at: datetime, *lines: Any) -> dict[str, Any]:
    return {"items": list(lines), "total": 20.0, "currency": "EUR", "at": at, "since": at}


async def put(ops: Ops, **fields: Any) -> None:
    one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_x"}
    app = {"name": "shop", "quietHours": False, "oneSignal": one_signal}
    await ops.ok("PUT", "/v1/apps/shop", json=app)
    body = {**SMALL, "enabled": True, "steps": [AFTER_AN_HOUR], **fields}
    await ops.ok("PUT", SCENARIO, json=body)


async def why(ops: Ops) -> Any:
    return (await ops.ok("GET", f"/v1/people/{PERSON}/why?scenario=basket"))["scenario"]


async def add_run(ops: Ops, **fields: Any) -> Run:
    now = ops.clock()
    entry = Entry(at=now, event="e-1", items=("tea",))
    given = {"app": "shop", "person": PERSON, "entry": entry, "basis": now, "due": now + HOUR}
    run = replace(run_of(), **{**given, **fields})
    await ops.context.stores.runs.insert([run])
    return run


async def test_who_never_entered_sees_what_an_entry_would_come_to(ops: Ops) -> None:
    await ops.add_person(basket=basket(ops.clock(), TEA))
    await put(ops)
    ops.clock.advance(1)
    found = await why(ops)
    (now,) = found["now"]
    assert (found["runs"], now["run"], now["result"]) == ([], None, "enter")
    assert now["at"] == to_iso(ops.clock() + HOUR)
    assert [one["rule"] for one in now["checks"]] == ["on", "new", "again", "until", "if", "late"]
    assert all(one["ok"] for one in now["checks"])


async def test_who_waits_sees_for_what(ops: Ops) -> None:
    await ops.add_person(basket=basket(ops.clock(), TEA))
    await put(ops)
    run = await add_run(ops)
    (now,) = (await why(ops))["now"]
    assert (now["run"], now["result"], now["at"]) == (run_name(run), "wait", to_iso(run.due))
    assert now["checks"][-1]["sentence"] == f"The wait isn't over: due {to_iso(run.due)}."
    ops.clock.advance(3_600)
    (now,) = (await why(ops))["now"]
    assert now["sentence"] == "The step hour is pushed to the person."


async def test_an_exit_is_named_before_the_run_ends_by_it(ops: Ops) -> None:
    await ops.add_person(basket=basket(ops.clock()))
    await put(ops, until=["bought", "emptied"])
    await add_run(ops)
    (now,) = (await why(ops))["now"]
    assert (now["result"], now["why"]) == ("end", "emptied")
    assert now["checks"][-1]["sentence"].startswith("The basket is empty")


async def test_runs_that_are_over_come_with_the_refusal(ops: Ops) -> None:
    await ops.add_person(basket=basket(ops.clock(), TEA))
    await put(ops)
    now = ops.clock()
    scenario = await ops.context.stores.scenarios.get("shop", "basket")
    assert scenario is not None
    pushed = push_run(await add_run(ops, n=2), "f-1", scenario, now)
    await ops.context.stores.runs.insert([end_run(replace(pushed, n=3), "done", now)])
    await ops.context.stores.runs.replace(end_run(replace(pushed, pushes=()), "bought", now))
    ops.clock.advance(60)
    found = await why(ops)
    assert [run["ended"]["why"] for run in found["runs"]] == ["done", "bought"]
    (decision,) = found["now"]
    again = to_iso(now + timedelta(days=7))
    assert (decision["result"], decision["why"]) == ("refuse", "again")
    assert decision["sentence"] == "The person doesn't enter: again."
    assert (
        decision["checks"][-1]["sentence"] == f"The person may not enter yet: again from {again}."
    )


async def test_an_unknown_scenario_is_named(ops: Ops) -> None:
    await ops.add_person()
    await put(ops)
    answer = await ops.call("GET", f"/v1/people/{PERSON}/why?scenario=baskt")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_scenario")
    assert "did you mean `basket`?" in answer.json()["message"]
