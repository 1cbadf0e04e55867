"""Sends over HTTP: accepted once, refused clearly, paused, resumed, cancelled."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from sender_service.ops.examples import PREVIEW, SEND
from shared.clock import utc_now
from shared.mongo.collections import SENDS
from tests.contract.sender.conftest import Api, a_campaign, a_trigger

AMONG = {"priority": "marketing"}


async def _count(api: Api) -> int:
    return int(await api.sender.context.database[SENDS.name].count_documents({}))


async def test_trigger_is_a_send_with_an_account(shop: Api) -> None:
    trigger = a_trigger()
    answer = await shop.call("POST", "/v1/sends", json=trigger)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["id"], body["state"], body["error"]) == (trigger["id"], "planning", None)
    assert (body["audience"], body["sent"], body["pending"]) == (0, 0, 0)
    assert body["suppressed"] == {} and body["failed"] == {} and body["impressions"] == 0
    assert await shop.ok("GET", f"/v1/sends/{trigger['id']}") == body


async def test_examples_have_the_shape_of_the_answers(shop: Api) -> None:
    trigger = a_trigger()
    assert (await shop.ok("POST", "/v1/sends", json=trigger)).keys() == SEND.keys()
    found = await shop.ok("POST", "/v1/sends/preview", json=trigger)
    assert found.keys() == PREVIEW.keys()
    assert found["forecast"].keys() == PREVIEW["forecast"].keys()
    assert found["forecast"]["window"].keys() == PREVIEW["forecast"]["window"].keys()


async def test_same_trigger_again_is_the_same_send(shop: Api) -> None:
    trigger = a_trigger(variables={"a": 1, "b": 2})
    first = await shop.ok("POST", "/v1/sends", json=trigger)
    again = dict(
        reversed({**trigger, "variables": {"b": 2, "a": 1}, "priority": "marketing"}.items())
    )
    assert await shop.ok("POST", "/v1/sends", json=again) == first
    upper = await shop.ok("POST", "/v1/sends", json={**trigger, "id": trigger["id"].upper()})
    assert upper["id"] == trigger["id"]
    assert await _count(shop) == 1


async def test_many_at_once_are_one_send(shop: Api) -> None:
    trigger = a_trigger()
    answers = await asyncio.gather(
        *(shop.call("POST", "/v1/sends", json=trigger) for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [202] * 8
    assert await _count(shop) == 1


async def test_same_id_with_other_content_is_a_conflict(shop: Api) -> None:
    trigger = a_trigger()
    await shop.ok("POST", "/v1/sends", json=trigger)
    answer = await shop.call("POST", "/v1/sends", json={**trigger, "priority": "transactional"})
    assert (answer.status_code, answer.json()["code"]) == (409, "trigger_id_reused")
    assert (await shop.ok("GET", f"/v1/sends/{trigger['id']}"))["priority"] == "marketing"


async def test_unknown_app_makes_no_send(shop: Api) -> None:
    answer = await shop.call("POST", "/v1/sends", json=a_trigger(app="nobody"))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_app")
    assert await _count(shop) == 0


async def test_app_made_elsewhere_is_known_at_once(shop: Api) -> None:
    shop.sender.context.apps.take([])
    assert (await shop.ok("POST", "/v1/sends", json=a_trigger()))["state"] == "planning"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"id": "x"}, "id"),
        ({"app": ""}, "app"),
        ({"campaign": ""}, "campaign"),
        ({"audience": None}, "body"),
        ({"audience": {"logins": []}}, "audience.logins"),
        ({"recipients": [{"login": "a"}]}, "body"),
        ({"audience": None, "recipients": [{}]}, "recipients.0"),
        ({"sendAt": "soon"}, "sendAt"),
        ({"priority": "urgent"}, "priority"),
        ({"variables": {"$x": 1}}, "variables"),
    ],
)
async def test_what_is_wrong_is_named_and_kept_nowhere(
    shop: Api, fields: dict[str, Any], named: str
) -> None:
    body = {key: value for key, value in a_trigger(**fields).items() if value is not None}
    answer = await shop.call("POST", "/v1/sends", json=body)
    assert answer.status_code == 422, answer.text
    assert named in [error["field"] or "body" for error in answer.json()["errors"]]
    assert await _count(shop) == 0


SCENARIO = {"scenario": {"id": "abandoned-basket", "step": "hour", "version": 1}}
TRIGGERED = {"priority": "triggered"}


@pytest.mark.parametrize("path", ["/v1/sends", "/v1/sends/preview"])
@pytest.mark.parametrize("as_lines", [False, True])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (SCENARIO, ["scenario"]),
        (TRIGGERED, ["priority"]),
        ({**SCENARIO, **TRIGGERED}, ["scenario", "priority"]),
    ],
)
async def test_only_carillon_triggers_for_a_scenario(
    shop: Api, path: str, as_lines: bool, fields: dict[str, Any], named: list[str]
) -> None:
    if as_lines:
        head = {key: value for key, value in a_trigger(**fields).items() if key != "audience"}
        lines = b"\n".join(map(orjson.dumps, [head, {"login": "ann"}]))
        sent: dict[str, Any] = {
            "content": lines,
            "headers": {"content-type": "application/x-ndjson"},
        }
    else:
        sent = {"json": a_trigger(**fields)}
    answer = await shop.call("POST", path, **sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "reserved")
    errors = answer.json()["errors"]
    assert [(e["field"].split(".")[-1], e["code"]) for e in errors] == [
        (n, "reserved") for n in named
    ]
    assert await _count(shop) == 0


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"campaign": "off"}, "campaign_disabled"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "already_expired"),
        ({"sendAt": "2999-01-01T00:00:00Z"}, "send_at_too_far"),
    ],
)
async def test_what_can_never_be_sent_is_a_refused_send(
    shop: Api, fields: dict[str, Any], error: str
) -> None:
    await shop.ok("PUT", "/v1/apps/demo/campaigns/off", json=a_campaign(enabled=False))
    trigger = a_trigger(**fields)
    body = await shop.ok("POST", "/v1/sends", json=trigger)
    assert body["state"] == "refused" and body["error"].startswith(error)
    assert body["closedAt"] is not None
    assert (await shop.ok("POST", "/v1/sends", json=trigger))["state"] == "refused"


async def test_n18_a_send_of_nobody_keeps_its_campaign(shop: Api) -> None:
    trigger = {**a_trigger(), "audience": {"logins": ["undefined"]}}
    send = await shop.ok("POST", "/v1/sends", json=trigger)
    assert (send["state"], send["campaign"]) == ("refused", trigger["campaign"])
    assert send["error"].startswith("no_recipients")


@pytest.mark.parametrize(("query", "line"), [("", 4), ("?firstLine=0", 3)])
@pytest.mark.parametrize("path", ["/v1/sends", "/v1/sends/preview"])
@pytest.mark.parametrize("bad", [b'{"login": "undefined"}', b'{"login": ["a"]}'])
async def test_n18_lines_are_counted_from_where_the_caller_counts(
    shop: Api, path: str, query: str, line: int, bad: bytes
) -> None:
    head = {key: value for key, value in a_trigger().items() if key != "audience"}
    content = b"\n".join([orjson.dumps(head), b'{"login": "a"}', b"", bad, b""])
    headers = {"Content-Type": "application/x-ndjson"}
    send = await shop.ok("POST", f"{path}{query}", content=content, headers=headers)
    [name] = send["malformed"]
    assert (name["index"], name["message"].partition(":")[0]) == (1, f"line {line}")


async def test_later_is_scheduled(shop: Api) -> None:
    at = utc_now() + timedelta(hours=2)
    body = await shop.ok("POST", "/v1/sends", json=a_trigger(sendAt=at.isoformat()))
    assert body["state"] == "scheduled"
    assert body["dueAt"] == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_long_ago_is_due_now(shop: Api) -> None:
    trigger = a_trigger(sendAt="1950-01-01T00:00:00Z")
    assert (await shop.ok("POST", "/v1/sends", json=trigger))["state"] == "planning"
    taken = await shop.sender.context.stores.sends.planning.lease(AMONG, "a planner", utc_now(), 30)
    assert taken is not None and taken.id == trigger["id"]


async def test_paused_and_resumed(shop: Api) -> None:
    send = (await shop.ok("POST", "/v1/sends", json=a_trigger()))["id"]
    for _ in range(2):  # twice is once
        assert (await shop.ok("POST", f"/v1/sends/{send}/pause"))["state"] == "paused"
    for _ in range(2):
        assert (await shop.ok("POST", f"/v1/sends/{send.upper()}/resume"))["state"] == "planning"


async def test_cancelled_is_never_planned(shop: Api) -> None:
    send = (await shop.ok("POST", "/v1/sends", json=a_trigger()))["id"]
    assert (await shop.ok("POST", f"/v1/sends/{send}/cancel"))["state"] == "cancelled"
    assert (
        await shop.sender.context.stores.sends.planning.lease(AMONG, "a planner", utc_now(), 30)
        is None
    )


@pytest.mark.parametrize("state", ["done", "cancelled", "refused"])
@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
async def test_what_has_ended_stays_ended(shop: Api, state: str, action: str) -> None:
    send = (await shop.ok("POST", "/v1/sends", json=a_trigger()))["id"]
    await shop.sender.context.database[SENDS.name].update_one(
        {"_id": send}, {"$set": {"state": state}}
    )
    answer = await shop.call("POST", f"/v1/sends/{send}/{action}")
    assert (answer.status_code, answer.json()["code"]) == (409, "send_ended")
    assert state in answer.json()["message"]
    assert (await shop.ok("GET", f"/v1/sends/{send}"))["state"] == state


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
async def test_what_is_not_there(shop: Api, action: str) -> None:
    answer = await shop.call("POST", f"/v1/sends/nothing/{action}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_send")
