"""Erase a person from what scenarios did, also where the erasure comes late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.models.scenario.firing import trigger_of
from sender_service.models.scenario.run import Run
from sender_service.models.trigger import Trigger
from tests.contract.sender.erasing import erase
from tests.integration.sender.scenario_stores import firing
from tests.support.clocks import ManualClock
from tests.support.ops_client import OTHER, PERSON, Ops, a_send
from tests.unit.sender.scenario_builders import ENTRY, run_of


async def add_firing(ops: Ops, n: int, made_at: datetime, *runs: Run) -> str:
    """Leave a firing of these runs, with its send, as of a moment; return its id."""
    made = firing(n, *runs, app="shop", made_at=made_at)
    await ops.context.stores.firings.insert(made)
    trigger = Trigger.model_validate_json(trigger_of(made)).document()
    send = a_send(made.id, ManualClock(made_at), trigger=trigger)
    await ops.database["sends"].insert_one(send)
    return made.id


async def firing_and_trigger(ops: Ops, firing: str) -> str:
    found = [await ops.database[name].find_one({"_id": firing}) for name in ("firings", "sends")]
    return str(found)


async def add_runs(ops: Ops, *runs: Run) -> None:
    assert len(await ops.context.stores.runs.insert(runs)) == len(runs)


async def test_a_late_stage_finds_what_scenarios_did_while_ingest_knew_the_person(ops: Ops) -> None:
    await ops.add_person()
    at = ops.clock()
    late = at + timedelta(seconds=30)
    hers = replace(run_of(), app="shop", person=PERSON, entry=replace(ENTRY, at=at))
    other = replace(hers, person=OTHER)
    of_clock = replace(hers, scenario="daily", entry=replace(ENTRY, at=late))
    await add_runs(ops, hers, other, of_clock)
    fired = await add_firing(ops, 1, late, hers, other)
    daily = await add_firing(ops, 2, late, of_clock)

    async def until_ingest_has_erased(_: float) -> None:
        await ops.database["profiles"].delete_one({"_id": PERSON})
        ops.clock.advance(60)

    await erase(ops, until_ingest_has_erased)
    text = await firing_and_trigger(ops, fired)
    assert PERSON not in text and text.count(OTHER) == 3  # its run's name has hers too
    assert PERSON not in await firing_and_trigger(ops, daily)
    kept = [run["person"] async for run in ops.database["runs"].find({})]
    assert kept == [OTHER]


async def test_a_late_stage_spares_who_came_back_and_none_of_before(ops: Ops) -> None:
    await ops.add_person()  # as she is since
    at = ops.clock()
    before = replace(run_of(), app="shop", person=PERSON, entry=replace(ENTRY, at=at))
    since = replace(before, n=2, entry=replace(ENTRY, at=at + timedelta(minutes=2)))
    await add_runs(ops, before, since)
    old = await add_firing(ops, 1, at + timedelta(seconds=30), before)
    new = await add_firing(ops, 2, at + timedelta(minutes=3), since)
    await erase(ops)
    assert PERSON not in await firing_and_trigger(ops, old)
    assert (await firing_and_trigger(ops, new)).count(PERSON) == 3
    assert [run.n for run in await ops.context.stores.runs.of_person("shop", PERSON)] == [2]


async def test_a_trigger_that_is_taken_in_with_a_name_meanwhile_loses_it(ops: Ops) -> None:
    await ops.add_person()
    at = ops.clock()
    hers = replace(run_of(), app="shop", person=PERSON, entry=replace(ENTRY, at=at))
    await add_runs(ops, hers)
    made = firing(1, hers, app="shop", made_at=at)
    await ops.context.stores.firings.insert(made)
    trigger = Trigger.model_validate_json(trigger_of(made)).document()

    async def taken_in(_: float) -> None:  # by an intake that read the firing before
        late = ManualClock(at + timedelta(seconds=40))
        await ops.database["sends"].insert_one(a_send(made.id, late, trigger=trigger))

    await erase(ops, taken_in)
    assert PERSON not in await firing_and_trigger(ops, made.id)
