"""Deletion of scenarios over HTTP: their runs end, at once or later, and never go on in a new one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sender_service.models.decide.progress import end_run
from sender_service.store.runs import RunStore
from shared.errors import StoreUnavailable
from tests.contract.sender.conftest import Api
from tests.support.clocks import START
from tests.support.scenarios import SMALL, STEP
from tests.unit.sender.scenario_builders import run_of

PATH = "/v1/apps/demo/scenarios/basket"
HELLO = {**SMALL, "steps": [{**STEP, "campaign": "welcome"}]}


async def is_away(*_: object, **__: object) -> int:
    raise StoreUnavailable("away")


async def put(api: Api) -> Any:
    return await api.ok("PUT", PATH, json=HELLO)


async def test_deleting_a_scenario_ends_its_runs(shop: Api) -> None:
    await put(shop)
    runs = shop.sender.context.stores.runs
    over = end_run(replace(run_of(), person="p-2"), "bought", START)
    await runs.insert([run_of(), over, replace(run_of(), scenario="other")])
    await shop.ok("DELETE", PATH)
    counts = await runs.counts("demo", "basket")
    assert (counts.waiting, counts.ended) == (0, {"deleted": 1, "bought": 1})
    assert (await runs.counts("demo", "other")).waiting == 1


async def test_deleting_answers_before_its_runs_end(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(shop)
    monkeypatch.setattr(RunStore, "end_all", is_away)
    assert await shop.ok("DELETE", PATH) == {"id": "basket", "removed": True}


async def test_runs_of_a_deleted_scenario_do_not_go_on_in_a_new_one(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(shop)
    runs = shop.sender.context.stores.runs
    await runs.insert([run_of()])
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "end_all", is_away)
        await shop.ok("DELETE", PATH)
    assert (await runs.counts("demo", "basket")).waiting == 1
    assert (await put(shop))["version"] == 3
    assert (await runs.counts("demo", "basket")).ended == {"deleted": 1}
