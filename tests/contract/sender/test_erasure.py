"""Erase: names go from everything that the sender keeps, outcomes and sums stay."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.send import NEVER
from sender_service.models.sums import encode_sums
from sender_service.models.trigger import Trigger
from sender_service.pages.sums import summarise
from sender_service.privacy.stage import (
    SECOND_PASS_SECONDS,
    UNDER_WAY_SECONDS,
    decode,
)
from sender_service.store.dead_letters import DeadLetterStore
from shared.errors import InvalidPayload
from shared.events.registry import ERASE
from shared.kafka.records import Record
from shared.models.dead_letter import DeadLetter
from tests.contract.sender.erasing import as_record, erase
from tests.support.ops_client import OTHER, PERSON, Ops, a_send
from tests.support.pages import build_page_document

ALIAS = "c" * 32
SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"


async def add_page(ops: Ops, members: list[list[str]], chunks: dict[str, Any], **more: Any) -> None:
    fields = {"app": "shop", "dueAt": NEVER, "bodiesId": f"{SEND}:0:x", **more}
    page: Any = build_page_document(SEND, members, chunks, at=ops.clock(), **fields)
    await ops.database["pages"].insert_one(page)
    bodies = [{"data": {}, "contents": {"en": f"text {n}"}} for n in chunks]
    await ops.database["bodies"].insert_one({"_id": page["bodiesId"], "bodies": bodies})


async def page_of(ops: Ops) -> Any:
    return await ops.database["pages"].find_one({"_id": f"{SEND}:0"})


async def everything(ops: Ops) -> str:
    """Return as text whatever the sender keeps."""
    names = ("sends", "parts", "pages", "bodies", "contacts", "dead_letters", "parked", "audit")
    return str([[d async for d in ops.database[name].find({})] for name in names])


async def test_members_lose_their_names_and_keep_their_outcomes(ops: Ops) -> None:
    jana = (await ops.add_person(aliases=[ALIAS]))["players"][0]["id"]
    members = [[jana, PERSON, "0"], ["p2", ALIAS, ""], ["p3", OTHER, "0"], [jana[::-1], PERSON, ""]]
    outcomes = {"1": ["suppressed", "unsubscribed"], "3": ["suppressed", "holdout"]}
    await add_page(ops, members, {"0": {"state": "sent"}}, outcomes=outcomes, open=False)
    before = await page_of(ops)
    await erase(ops)
    page = await page_of(ops)
    assert page["sums"] == encode_sums(summarise(page)) == before["sums"]
    assert page["outcomes"] == before["outcomes"] and page["members"][2] == members[2]
    assert page["members"][0][1] == page["members"][3][1] != PERSON  # still one person
    text = str(page)
    assert not any(name in text for name in (PERSON, ALIAS, jana, "p2"))
    await erase(ops)
    assert await page_of(ops) == page  # twice is once


async def test_who_is_not_called_yet_never_will_be(ops: Ops) -> None:
    await ops.add_person()
    await add_page(ops, [["p", PERSON, "0"], ["q", OTHER, "1"]], {"0": {}, "1": {}})
    await erase(ops)
    page = await page_of(ops)
    assert page["outcomes"] == {"0": ["suppressed", "erased"]}
    assert (page["chunks"]["0"]["state"], page["chunks"]["1"]["state"]) == ("suppressed", "planned")
    assert page["sums"]["suppressed"] == {"erased": 1} and page["open"]
    bodies = (await ops.database["bodies"].find_one({}) or {})["bodies"]
    assert bodies == [{"data": {}}, {"data": {}, "contents": {"en": "text 1"}}]


async def test_answer_under_way_finds_its_member(ops: Ops) -> None:
    await ops.add_person()
    await add_page(ops, [["p", PERSON, "0"]], {"0": {"state": "released", "releasedAt": NEVER}})
    slept: list[float] = []

    async def answered(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 1:
            return
        page = await page_of(ops)
        assert page["members"] == [["p", PERSON, "0"]]
        chunk = {"chunks.0.state": "sent", "open": False}
        await ops.database["pages"].update_one({}, {"$set": chunk, "$inc": {"rev": 1}})

    await erase(ops, answered)
    page = await page_of(ops)
    assert slept == [1, SECOND_PASS_SECONDS]
    assert PERSON not in str(page["members"]) and page["outcomes"] == {}


async def test_silent_call_is_not_waited_for_longer(ops: Ops) -> None:
    await ops.add_person()
    await add_page(ops, [["p", PERSON, "0"]], {"0": {"attempted": True}})
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await erase(ops, sleep)
    assert sum(slept) == UNDER_WAY_SECONDS + SECOND_PASS_SECONDS
    assert (await page_of(ops))["sums"]["suppressed"] == {"erased": 1}


async def test_who_was_planned_meanwhile_is_found_too(ops: Ops) -> None:
    await ops.add_person()
    await ops.database["sends"].insert_one(a_send(SEND, ops.clock, state="planning"))

    async def planned(_: float) -> None:
        await add_page(ops, [["p", PERSON, "0"]], {"0": {}})

    await erase(ops, planned)
    assert PERSON not in str(await page_of(ops))


async def test_triggers_lose_names_and_variables(ops: Ops) -> None:
    jana = await ops.add_person(login="jana", aliases=[ALIAS])
    player, other = jana["players"][0]["id"], str(uuid.uuid4())
    base = {"id": SEND, "app": "shop", "campaign": "hello", "variables": {"order": "secret 1"}}
    recipients = [
        {"login": "petr", "variables": {"name": "Petr"}},
        {"login": "jana", "variables": {"name": "secret 2"}},
        {"visitor": "v-aaaa", "variables": {"name": "secret 3"}},
        {"player": player, "variables": {"name": "secret 4"}},
        {"person": PERSON, "variables": {"name": "secret 5"}},
        {"person": ALIAS, "variables": {"name": "secret 6"}},
        {"person": OTHER, "variables": {"name": "Olga"}},
    ]
    several = Trigger.model_validate({**base, "recipients": recipients}).document()
    only = Trigger.model_validate({**base, "recipients": recipients[1:2]}).document()
    named = Trigger.model_validate({**base, "audience": {"logins": ["x", "jana"]}}).document()
    for trigger in (several, only, named):
        document = a_send(str(uuid.uuid4()), ops.clock, trigger=trigger)
        await ops.database["sends"].insert_one(document)
    part = {
        "_id": "part",
        "send": document["_id"],
        "recipients": [{"player": other}, recipients[1], recipients[5]],
    }
    await ops.database["parts"].insert_one(part)
    await erase(ops)
    text = await everything(ops)
    secrets = [f"secret {n}" for n in range(2, 7)]
    assert not any(name in text for name in ("jana", player, "v-aaaa", ALIAS, *secrets))
    assert all(name in text for name in ("Petr", "Olga", OTHER, other))
    kept = [d["trigger"] async for d in ops.database["sends"].find({})]
    assert [Trigger.model_validate(t).campaign for t in kept] == ["hello"] * 3  # still triggers
    assert [len(t["recipients"] or []) for t in kept] == [7, 1, 0]
    assert [t["variables"] for t in kept] == [base["variables"], {}, base["variables"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"v-aaaa", b"{}"),
        (b"k", b'{"visitorId":"v-aaaa","data":{"email":"secret"}}'),
        (b"k", b'{"recipients":[{"login":"jana","variables":{"x":"secret"}}]}'),
        (b"k", b'{"audience":{"logins":["jana"]}}'),
        (b"login:0", b'{"visitorId":"login:0","login":"jana","data":{"id":"secret"}}'),
        (b"k", b'{"recipients":[{"person":"%s","variables":{"x":"secret"}}]}' % PERSON.encode()),
        (b"k", PERSON.encode() + b" in no JSON at all: secret"),
    ],
)
async def test_dead_letters_lose_their_content(ops: Ops, key: bytes, value: bytes) -> None:
    await ops.add_person(login="jana")
    dead_letters = [
        DeadLetter(
            id=str(uuid.uuid4()), stage="s", topic="carillon.events", partition=0, offset=0,
            type="t", key=DeadLetter.pack(k), value=DeadLetter.pack(v), code="c", message="m",
            at=ops.clock() - timedelta(minutes=1),
        )
        for k, v in ((key, value), (b"v-aaaabbbb", b'{"visitorId":"v-aaaabbbb"}'))
    ]  # fmt: skip
    await DeadLetterStore(ops.database).put(dead_letters)
    await erase(ops)
    mine = await ops.ok("GET", f"/v1/dead-letters/{dead_letters[0].id}")
    assert (mine["value"], mine["erased"], mine["code"]) == ("", True, "c")
    answer = await ops.call("POST", f"/v1/dead-letters/{dead_letters[0].id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "erased")
    others = await ops.ok("GET", f"/v1/dead-letters/{dead_letters[1].id}")
    assert others["value"] == {"visitorId": "v-aaaabbbb"}


async def test_caps_and_parked_events_are_dropped(ops: Ops) -> None:
    player = (await ops.add_person())["players"][0]["id"]
    pushes = [{"send": SEND, "at": ops.clock()}]
    await ops.database["contacts"].insert_many(
        [{"_id": f"shop:{p}", "pushes": pushes, "rev": 1} for p in (PERSON, OTHER)]
    )
    await ops.database["parked"].insert_many(
        [{"_id": "1", "event": {"playerId": player}}, {"_id": "2", "event": {"playerId": "other"}}]
    )
    await erase(ops)
    assert [d["_id"] async for d in ops.database["contacts"].find({})] == [f"shop:{OTHER}"]
    assert [d["_id"] async for d in ops.database["parked"].find({})] == ["2"]


async def test_other_events_and_nobody_are_not_for_it(ops: Ops) -> None:
    await ops.add_person()
    await erase(ops)
    record = as_record(ops)
    assert decode(Record("t", 0, 0, b"", record.value, "pageview", 0)) is None
    without = record.value.replace(b'"person"', b'"nobody"')
    with pytest.raises(InvalidPayload):
        decode(Record("t", 0, 0, b"", without, ERASE, 0))
