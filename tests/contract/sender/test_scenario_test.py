"""Tests of a step over HTTP: one player, items of her own, no report."""

from __future__ import annotations

import uuid
from typing import Any

from tests.support.ops_client import Ops
from tests.support.scenarios import SMALL, STEP

SCENARIO = "/v1/apps/shop/scenarios/basket"
CHOOSES = {**STEP, "campaign": "hello", "choose": {"from": "basket"}}
LINES = [
    {"item": "tea", "quantity": 2, "price": 20.0},
    {"item": "cup", "quantity": 1, "price": 9.0},
]


async def put(ops: Ops, *lines: Any, **fields: Any) -> str:
    """Put the scenario, and a person with this basket; return her player."""
    at = ops.clock()
    basket = {"items": list(lines), "total": 20.0, "currency": "EUR", "at": at, "since": at}
    player = str(uuid.uuid4())
    await ops.add_person(basket=basket, players=[{"id": player}])
    await ops.ok("PUT", SCENARIO, json={**SMALL, "steps": [CHOOSES], **fields})
    return player


async def refused(ops: Ops, status: int, **body: Any) -> str:
    answer = await ops.call("POST", f"{SCENARIO}/test", json={"step": "hour", **body})
    assert answer.status_code == status, answer.text
    return str(answer.json()["code"])


async def test_a_step_goes_to_one_player_with_her_items(ops: Ops) -> None:
    player = await put(ops, *LINES)
    sent = await ops.ok("POST", f"{SCENARIO}/test", json={"player": player, "step": "hour"})
    assert (sent["campaign"], sent["priority"], sent["state"]) == (
        "hello",
        "transactional",
        "sending",
    )
    stored = await ops.database["sends"].find_one({"_id": sent["id"]})
    assert stored is not None and stored["test"]
    (recipient,) = stored["trigger"]["recipients"]
    assert recipient["player"] == player
    variables = recipient["variables"]
    assert variables["item"] == {"id": "tea", "quantity": 2, "price": 20.0, "currency": "EUR"}
    assert variables["entry"]["items"] == ["tea", "cup"]


async def test_what_cannot_be_tried_is_named(ops: Ops) -> None:
    player = await put(ops)
    assert await refused(ops, 409, player=player) == "nothing_to_offer"
    assert await refused(ops, 422, player=str(uuid.uuid4())) == "unknown_player"
    assert await refused(ops, 422, player=player, step="hur") == "unknown_step"
    gone = {**CHOOSES, "campaign": "gone"}
    await ops.ok("PUT", SCENARIO, json={**SMALL, "steps": [gone]})
    assert await refused(ops, 409, player=player) == "unknown_campaign"
