"""People over HTTP: search, why, export, erase, undo."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.models.event import Event
from tests.support.documents import build_merge
from tests.support.ops_client import OTHER, PERSON, Ops, a_send
from tests.support.pages import build_page_document

SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
ALIAS = "c" * 32


async def add_page(ops: Ops, members: list[list[str]], n: int = 0, **more: Any) -> None:
    sent = {"state": "sent", "notificationId": "n-1", "at": ops.clock()}
    fields = {"app": "shop", "number": n, "open": False, **more}
    send = fields.pop("send", SEND)
    page: Any = build_page_document(send, members, {"0": sent}, at=ops.clock(), **fields)
    await ops.database["pages"].insert_one(page)


async def search(ops: Ops, **name: str) -> list[str]:
    found = await ops.ok("POST", "/v1/people/search", json={"app": "shop", **name})
    return [item["id"] for item in found["items"]]


async def test_found_by_each_name(ops: Ops) -> None:
    jana = await ops.add_person(login="jana", email="jana@shop.test")
    await ops.add_person(OTHER, login="petr")
    assert await search(ops, login="jana") == [PERSON]
    assert await search(ops, email="jana@shop.test") == [PERSON]
    assert await search(ops, visitor="v-aaaa") == [PERSON]
    assert await search(ops, player=jana["players"][0]["id"]) == [PERSON]
    assert await search(ops, player=str(uuid.uuid4())) == []
    assert await search(ops, login="nobody") == []
    merge = build_merge(ALIAS, PERSON, ops.clock(), "shop")
    await ops.database["merges"].insert_one(dict(merge))
    for person in (PERSON, ALIAS):
        assert await search(ops, person=person) == [PERSON]
    assert await search(ops, person="d" * 32) == []


async def test_another_apps_people_are_not_found(ops: Ops) -> None:
    jana = await ops.add_person(login="jana")
    await ops.open_app("other")
    player = {"player": jana["players"][0]["id"]}
    for name in ({"login": "jana"}, {"visitor": "v-aaaa"}, player, {"person": PERSON}):
        body = {"app": "other", **name}
        assert (await ops.ok("POST", "/v1/people/search", json=body))["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"app": "shop"}, 422),
        ({"app": "shop", "login": "a", "visitor": "b"}, 422),
        ({"app": "shop", "player": "no uuid"}, 422),
        ({"app": "unknown", "login": "a"}, 404),
    ],
)
async def test_unclear_search_is_refused(ops: Ops, body: dict[str, str], status: int) -> None:
    answer = await ops.call("POST", "/v1/people/search", json=body)
    assert answer.status_code == status
    assert "no uuid" not in answer.text


async def test_search_leaves_no_name_in_the_trail(ops: Ops) -> None:
    await ops.add_person(login="jana")
    await search(ops, login="jana")
    trail = (await ops.ok("GET", "/v1/audit"))["items"]
    assert "/v1/people/search" in str(trail) and "jana" not in str(trail)


async def test_why_names_each_players_outcome(ops: Ops) -> None:
    await ops.add_person(aliases=[ALIAS])
    await ops.database["sends"].insert_one(a_send(SEND, ops.clock))
    members = [["p1", PERSON, "0"], ["p2", PERSON, ""], ["p3", OTHER, "0"], ["p4", ALIAS, "0"]]
    outcomes = {"1": ["suppressed", "unsubscribed"], "3": ["failed", "invalid_player"]}
    await add_page(ops, members, outcomes=outcomes)
    items = (await ops.ok("GET", f"/v1/people/{PERSON}/why", params={"send": SEND}))["items"]
    explained = [(i["player"], i["outcome"], i["reason"], i["notificationId"]) for i in items]
    assert explained == [
        ("p1", "sent", None, "n-1"),
        ("p2", "suppressed", "unsubscribed", None),
        ("p4", "failed", "invalid_player", None),
    ]
    assert all(i["at"].endswith("Z") for i in items)


async def test_why_without_a_send_looks_in_the_newest(ops: Ops) -> None:
    await ops.add_person()
    other = str(uuid.uuid4())
    await ops.database["sends"].insert_one(a_send(SEND, ops.clock))
    ops.clock.advance(100_000)
    await ops.database["sends"].insert_one(a_send(other, ops.clock, campaign="later"))
    await add_page(ops, [["p1", PERSON, "0"]])
    await add_page(ops, [["p1", PERSON, ""]], _id=f"{other}:0", send=other,
                   outcomes={"0": ["suppressed", "capped"]})  # fmt: skip
    answer = await ops.ok("GET", f"/v1/people/{PERSON}/why")
    assert [(i["campaign"], i["reason"]) for i in answer["items"]] == [
        ("later", "capped"),
        ("hello", None),
    ]
    assert answer["sendsSearched"] == 2


async def test_who_was_merged_is_found_by_the_old_id(ops: Ops) -> None:
    await ops.add_person(aliases=[ALIAS])
    merge = {"_id": ALIAS, "app": "shop", "person": PERSON, "visitor": "v-aaaa"}
    await ops.database["merges"].insert_one(merge)
    assert (await ops.ok("GET", f"/v1/people/{ALIAS}"))["id"] == PERSON


async def test_who_was_unmerged_again_is_not_the_person(ops: Ops) -> None:
    await ops.add_person()
    undone = {"at": ops.clock(), "event": "e"}
    merge = {"_id": ALIAS, "app": "shop", "person": PERSON, "visitor": "v-aaaa", "undone": undone}
    await ops.database["merges"].insert_one(merge)
    assert (await ops.call("GET", f"/v1/people/{ALIAS}")).status_code == 404
    await ops.ok("POST", f"/v1/people/{PERSON}/erase")
    assert Event.parse(ops.log.records[0].value).data["aliases"] == []


async def test_unknown_people_and_sends_are_not_found(ops: Ops) -> None:
    await ops.add_person()
    for path in ("", "/why", "/export"):
        answer = await ops.call("GET", f"/v1/people/{OTHER}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_person")
    answer = await ops.call("GET", f"/v1/people/{PERSON}/why", params={"send": SEND})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_send")


async def test_export_reports_all_that_is_known(ops: Ops) -> None:
    jana = await ops.add_person(login="jana", purchases=[{"id": "o1", "items": [], "revenue": 9}])
    await ops.database["visitors"].insert_one(
        {
            "_id": "shop:v-aaaa",
            "app": "shop",
            "visitor": "v-aaaa",
            "persons": [PERSON],
            "seenEvents": b"x",
        }
    )
    await ops.database["sends"].insert_one(a_send(SEND, ops.clock))
    player = jana["players"][0]["id"]
    await add_page(ops, [[player, PERSON, "0"]])
    seen = {"impression": {"0": ops.clock()}, "click": {}, "close": {}}
    await ops.database["interactions"].insert_one(
        {"_id": f"{SEND}:0", "send": SEND, "times": seen, "counts": {}, "rev": 0}
    )
    known = await ops.ok("GET", f"/v1/people/{PERSON}/export")
    assert (known["profile"]["login"], known["profile"]["purchases"][0]["id"]) == ("jana", "o1")
    assert [p["id"] for p in known["players"]] == [player]
    assert [b["id"] for b in known["browsers"]] == ["v-aaaa"]
    (send,) = known["sends"]
    assert send["outcome"] == "sent" and list(send["interactions"]) == ["impression"]
    trail = (await ops.ok("GET", "/v1/audit"))["items"]
    assert "/v1/people/{person}/export" in [entry["route"] for entry in trail]


async def test_export_leaves_out_who_else_used_the_browser(ops: Ops) -> None:
    jana = await ops.add_person(login="jana")
    player = jana["players"][0]["id"]
    epochs = [
        {
            "openedBy": "0",
            "login": None,
            "anonymousId": OTHER,
            "identifiedAt": None,
            "contribution": {"email": "a@b.c"},
        },
        {
            "openedBy": "1",
            "login": "petr",
            "anonymousId": None,
            "identifiedAt": None,
            "contribution": {},
        },
        {
            "openedBy": "2",
            "login": "jana",
            "anonymousId": None,
            "identifiedAt": None,
            "contribution": {"viewed": []},
        },
    ]
    await ops.database["visitors"].insert_one(
        {"_id": "shop:v", "app": "shop", "visitor": "v", "persons": [OTHER, PERSON, ALIAS],
         "epochs": epochs, "players": [{"id": player}, {"id": "another"}]}
    )  # fmt: skip
    (browser,) = (await ops.ok("GET", f"/v1/people/{PERSON}/export"))["browsers"]
    assert [epoch["login"] for epoch in browser["epochs"]] == ["jana"]
    assert browser["players"] == [{"id": player}]
    assert OTHER not in str(browser)


async def test_erase_publishes_an_event_for_each_browser(ops: Ops) -> None:
    jana = await ops.add_person(login="jana", pastVisitors=["v-old"], aliases=[ALIAS])
    left_out = {"_id": "o", "app": "shop", "visitor": "v-oldest", "persons": [PERSON]}
    await ops.database["visitors"].insert_one(left_out)  # a profile lists only so many
    answer = await ops.call("POST", f"/v1/people/{PERSON}/erase")
    assert answer.status_code == 202
    events = [Event.parse(record.value) for record in ops.log.records]
    assert [(r.topic, r.key, r.type) for r in ops.log.records] == [
        ("carillon.events", "v-aaaa", "carillon.erase"),
        ("carillon.events", "v-old", "carillon.erase"),
        ("carillon.events", "v-oldest", "carillon.erase"),
        ("carillon.events", f"os:{jana['players'][0]['id']}", "carillon.erase"),
    ]
    assert [event.data["findOthers"] for event in events] == [True, False, False, False]
    for event in events:
        assert (event.source, event.app, event.data["person"]) == ("ops", "shop", PERSON)
        assert event.data["players"] == [jana["players"][0]["id"]]
        assert event.data["aliases"] == [ALIAS]
    assert not any(b"jana" in record.value for record in ops.log.records)
    assert answer.json()["events"] == [event.id for event in events]


async def test_undo_names_a_merge_of_the_person(ops: Ops) -> None:
    await ops.add_person(aliases=[ALIAS])
    merge = {"_id": ALIAS, "app": "shop", "person": PERSON, "visitor": "v-aaaa"}
    await ops.database["merges"].insert_one(merge)
    path = f"/v1/people/{PERSON}/merges/undo"
    assert (await ops.call("POST", path, json={"merge": OTHER})).status_code == 422
    assert (await ops.call("POST", path, json={"merge": ALIAS})).status_code == 202
    (record,) = ops.log.records
    assert (record.key, record.type) == ("v-aaaa", "carillon.undoMerge")
    assert Event.parse(record.value).data == {"person": PERSON, "merge": ALIAS}


async def test_erase_waits_for_kafka(ops: Ops) -> None:
    await ops.add_person()
    ops.log.away = True
    assert (await ops.call("POST", f"/v1/people/{PERSON}/erase")).status_code == 503
