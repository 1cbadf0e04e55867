"""Tests of why a send waits, and until when; unknown names are answered before anything is kept."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from sender_service.models.send import NEVER
from sender_service.models.sums import Sums, encode_sums
from sender_service.pages.document import new_chunk
from sender_service.store.limits import budget_id
from shared.models.wire import to_iso
from tests.contract.sender.conftest import Api, a_trigger
from tests.support.ops_client import Ops, a_send
from tests.support.pages import build_page_document
from tests.support.providers import WINDOW_MINUTES, channel_of


async def waiting(
    ops: Ops, page: dict[str, Any] | None = None, **more: Any
) -> list[dict[str, Any]]:
    send = str(uuid.uuid4())
    await ops.database["sends"].insert_one(a_send(send, ops.clock, **more))
    if page is not None:
        whole: Any = build_page_document(send, [], **{"app": "shop", **page})
        await ops.database["pages"].insert_one(whole)
    account = await ops.ok("GET", f"/v1/sends/{send}")
    found: list[dict[str, Any]] = account["waiting"]
    return found


async def test_n19_paused_and_scheduled_are_reasons(ops: Ops) -> None:
    assert await waiting(ops) == []
    (paused,) = await waiting(ops, paused=True)
    assert (paused["code"], paused["message"], paused["until"]) == ("paused", "paused", None)
    later = ops.clock() + timedelta(hours=1)
    (scheduled,) = await waiting(ops, state="planning", dueAt=later)
    assert (scheduled["code"], scheduled["until"]) == ("scheduled", to_iso(later))
    assert await waiting(ops, state="cancelled", paused=True) == []


async def test_n19_stopped_app_is_explained(ops: Ops) -> None:
    stopped = {"state": "stopped", "stoppedBecause": "OneSignal refuses the key"}
    await ops.database["apps"].update_one({"_id": "shop"}, {"$set": stopped})
    await ops.context.apps.refresh()
    reasons = await waiting(ops, paused=True)
    assert [reason["code"] for reason in reasons] == ["app_stopped", "paused"]
    assert reasons[0]["message"] == "app stopped: OneSignal refuses the key"


async def test_n19_quiet_hours_have_an_end(ops: Ops) -> None:
    now = ops.clock()
    due = now + timedelta(hours=3)
    quiet = {"from": (now - timedelta(hours=1)).strftime("%H:%M"), "to": due.strftime("%H:%M")}
    chunk = {**new_chunk("a", now, "UTC"), "notBefore": due}
    page = {"dueAt": due, "inFlight": 0, "chunks": {"0": chunk}}
    (reason,) = await waiting(ops, page, campaignSnapshot={"policy": {"quietHours": quiet}})
    assert (reason["code"], reason["until"]) == ("quiet_hours", to_iso(due))
    (retry,) = await waiting(ops, page, campaignSnapshot={"policy": {}})
    assert (retry["code"], retry["until"]) == ("retry", to_iso(due))
    assert await waiting(ops, {**page, "dueAt": now - timedelta(seconds=1)}) == []
    assert await waiting(ops, {**page, "inFlight": 1}) == []


async def test_n19_message_limit_has_an_end(shop: Api) -> None:
    send = (await shop.ok("POST", "/v1/sends", json=a_trigger()))["id"]
    database = shop.sender.context.database
    await database["sends"].update_one(
        {"_id": send}, {"$set": {"state": "sending", "planDue": NEVER}}
    )
    stored = await shop.sender.context.stores.sends.get(send)
    assert stored is not None
    created = stored.created_at
    minute = int(created.timestamp() // 60)
    counter = {
        "_id": budget_id(channel_of("demo")),
        "minutes": {str(minute): 5},
        "rev": 1,
        "limitedSince": created,
    }
    await database["budgets"].insert_one(counter)
    (reason,) = (await shop.ok("GET", f"/v1/sends/{send}"))["waiting"]
    assert (reason["code"], reason["message"]) == ("message_limit", "held: message limit")
    assert reason["until"] is None  # no subscriber is known: nobody knows
    await database["players"].insert_one({"_id": "p", "app": "demo", "state": "subscribed"})
    await shop.sender.budget.counts.refresh(channel_of("demo"), within=0)
    (reason,) = (await shop.ok("GET", f"/v1/sends/{send}"))["waiting"]
    frees = datetime.fromtimestamp((minute + WINDOW_MINUTES + 1) * 60, UTC)
    assert reason["until"] == to_iso(frees)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(
    ("fields", "code", "hint"),
    [
        ({"app": "nobody"}, "unknown_app", "no such app"),
        ({"campaign": "nothing"}, "unknown_campaign", "no such campaign"),
        ({"campaign": "welcom"}, "unknown_campaign", "did you mean `welcome`?"),
    ],
)
async def test_n20_unknown_names_are_answered_and_nothing_is_kept(
    shop: Api, fields: dict[str, Any], code: str, hint: str, lines: bool
) -> None:
    trigger = a_trigger(**fields)
    if lines:
        del trigger["audience"]
        content = orjson.dumps(trigger) + b'\n{"login": "ann"}\n'
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await shop.call("POST", "/v1/sends", content=content, headers=headers)
    else:
        answer = await shop.call("POST", "/v1/sends", json=trigger)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert error["field"] == code.removeprefix("unknown_") and hint in error["message"]
    assert (await shop.call("GET", f"/v1/sends/{trigger['id']}")).status_code == 404


async def test_n20_send_that_reached_nobody_is_explained(ops: Ops) -> None:
    for people, code in ((3, "nobody_reached"), (0, "empty_audience")):
        sums = Sums()
        sums.people["no_player"] = people
        send = str(uuid.uuid4())
        done = a_send(send, ops.clock, state="done", totals=encode_sums(sums), closedAt=ops.clock())
        await ops.database["sends"].insert_one(done)
        (warning,) = (await ops.ok("GET", f"/v1/sends/{send}"))["warnings"]
        assert warning["code"] == code and str(people or "") in warning["message"]
