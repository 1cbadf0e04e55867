"""Explanation of a person in a scenario: runs, firings of the clock, a look at her now in sentences."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sender_service.models.decide.progress import end_run, push_run
from sender_service.models.scenario.firing import Firing, Occurrence
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.run_name import run_name
from sender_service.pages.document import END
from shared.ids import slot_of
from shared.models.wire import to_iso
from tests.integration.sender.scenario_stores import firing
from tests.support.ops_client import PERSON, Ops, a_send
from tests.support.pages import build_page_document
from tests.support.scenarios import SMALL, STEP
from tests.unit.sender.scenario_builders import HOUR, run_of

SCENARIO = "/v1/apps/shop/scenarios/basket"
TEA = {"item": "tea", "quantity": 1, "price": 20.0}
AFTER_AN_HOUR = {**STEP, "campaign": "hello", "after": {"minutes": 60}}


def basket(at: datetime, *lines: Any) -> dict[str, Any]:
    return {"items": list(lines), "total": 20.0, "currency": "EUR", "at": at, "since": at}


async def put(ops: Ops, **fields: Any) -> None:
    one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_x"}
    app = {
        "name": "shop",
        "quietHours": False,
        "timeZone": "Europe/Prague",
        "oneSignal": one_signal,
    }
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


CLOCK: dict[str, Any] = {
    "enter": {"on": "daily", "at": "10:00"}, "until": [], "again": {"days": 0},
    "steps": [{**STEP, "campaign": "hello"}],
}  # fmt: skip
BEFORE: list[Any] = [slot_of(PERSON), PERSON[:-1]]  # a cursor right before the person
HERS: list[Any] = [slot_of(PERSON), PERSON]


async def fire(
    ops: Ops, n: int, pages: Sequence[dict[str, Any]] | None = None, **fields: Any
) -> Firing:
    """Leave a firing of the clock, n hours ago, and its send with these pages; None: it has no send."""
    at = ops.clock() - n * HOUR
    one = Occurrence(**{"name": f"day {n}", "at": at, "due": at, **fields.pop("occurrence", {})})
    given = {"app": "shop", "occurrence": one, "due_at": at, "state": "settled", **fields}
    made = firing(n, **given)
    await ops.context.stores.firings.insert(made)
    if pages is not None:
        await ops.database["sends"].insert_one(a_send(made.id, ops.clock, pages=len(pages)))
    for number, page in enumerate(pages or ()):
        document: Any = build_page_document(made.id, **page, number=number, app="shop", at=at)
        await ops.database["pages"].insert_one(document)
    return made


def page_of(person: str, cursor: list[Any], outcome: list[str] | None = None) -> dict[str, Any]:
    outcomes = {} if outcome is None else {"0": outcome}
    player = str(uuid.uuid4())
    return {"members": [[player, person, "0"]], "resumeAt": cursor, "outcomes": outcomes}


async def test_pushes_of_the_clock_without_a_run_are_explained(ops: Ops) -> None:
    await ops.add_person()
    await put(ops, **CLOCK)
    sent = await fire(ops, 2, [page_of("other", BEFORE), page_of(PERSON, END, ["sent", ""])])
    late = page_of(PERSON, END, ["suppressed", "capped"])  # after the end, as who came late is
    capped = await fire(ops, 3, [page_of("other", HERS), page_of("another", END), late])
    refused = await fire(ops, 4, [page_of("other", END)], counts={"if": 3, "sent": 1})
    gone = await fire(ops, 5)
    missed = await fire(ops, 6, state="late")
    found = await ops.ok("GET", f"/v1/people/{PERSON}/why?scenario=basket")
    explained = found["scenario"]["firings"]
    assert [(one["send"], one["result"]) for one in explained] == [
        (sent.id, "sent"), (capped.id, "capped"), (refused.id, None), (gone.id, None),
        (missed.id, None),
    ]  # fmt: skip
    assert [one["sentence"] for one in explained] == [
        "The step hour was pushed to the person.",
        "The step hour was not pushed to the person: capped.",
        "The person is not in its audience: not entered then, or without a browser. Results of all"
        " people: if 3, sent 1.",
        "Who gets the step hour isn't decided yet, or its send is deleted by now.",
        "The step hour was pushed to nobody: late.",
    ]
    assert [(one["send"], one["reason"]) for one in found["items"]] == [
        (sent.id, None), (capped.id, "capped")
    ]  # fmt: skip
    assert found["scenario"]["runs"] == []
    (now,) = found["scenario"]["now"]
    assert now["sentence"] == "The step hour is pushed to the person."


async def test_of_the_clocks_slots_and_zones_hers_are_explained(ops: Ops) -> None:
    await ops.add_person(timeZone="Europe/Prague")
    await put(
        ops, **{**CLOCK, "enter": {"on": "daily", "at": "10:00", "zone": "person"}, "spread": 60}
    )
    scenario = await ops.context.stores.scenarios.get("shop", "basket")
    assert scenario is not None
    slot = scenario.spread_slot(PERSON)
    for n in range(1, 13):  # of each slot one, of which one is hers
        await fire(ops, n, [page_of("other", END)], occurrence={"slot": n - 1})
    # She was in another zone then: what she was pushed is known by her caps.
    other = (slot + 1) % 12
    pushed = await fire(ops, 20, [page_of(PERSON, END, ["sent", ""])], occurrence={"slot": other})
    entry = {"send": pushed.id, "at": pushed.due_at, "scenario": True}
    contact = {"_id": f"shop:{PERSON}", "app": "shop", "pushes": [entry], "rev": 1}
    await ops.database["contacts"].insert_one(contact)
    explained = (await why(ops))["firings"]
    assert [one["result"] for one in explained] == [None, "sent"]


async def test_of_a_large_audience_only_her_pages_are_read(ops: Ops) -> None:
    await ops.add_person()
    await put(ops, **CLOCK)
    pages = [
        page_of("other", [0, ""]),
        page_of("other", BEFORE),
        page_of("other", [HERS[0] + 1, ""]),
    ]
    made = await fire(ops, 2, [*pages, page_of("other", END)])
    reader = ops.context.stores.outcomes
    assert await reader._pages_for(made.id, [PERSON]) == [f"{made.id}:2", f"{made.id}:3"]
