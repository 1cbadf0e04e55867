"""Sends in a list, and ids by their first letters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.ids import head_of
from tests.contract.sender.dead_letters import save_dead_letter
from tests.support.ops_client import Ops, a_send

SENDS = "/v1/sends"


@pytest.fixture
async def ops(empty_ops: Ops) -> Ops:
    for app in ("shop", "other"):
        await empty_ops.open_app(app)
    return empty_ops


async def plant(ops: Ops, *ago: timedelta, **more: Any) -> list[str]:
    """Store a send for each age; return their ids in the same order."""
    names = [str(uuid.uuid4()) for _ in ago]
    for name, back in zip(names, ago, strict=True):
        made = ops.clock() - back
        send = a_send(name, ops.clock, head=head_of(name), createdAt=made, **more)
        await ops.database["sends"].insert_one(send)
    return names


async def listed(ops: Ops, query: str = "", token: str | None = None) -> list[str]:
    more = {} if token is None else {"token": token}
    return [item["id"] for item in (await ops.ok("GET", SENDS + query, **more))["items"]]


def spread(*minutes: float) -> Sequence[timedelta]:
    return [timedelta(minutes=m) for m in minutes]


async def test_n11_sends_are_listed_the_newest_first(ops: Ops) -> None:
    names = await plant(ops, *spread(1, 90, 60 * 24, 60 * 24 * 30))
    assert await listed(ops) == names
    (first, *_) = (await ops.ok("GET", SENDS))["items"]
    assert (first["state"], first["campaign"], first["audience"]) == ("sending", "hello", None)
    assert await listed(ops, "?app=other") == []
    other = await plant(ops, *spread(2), app="other", campaign="bye")
    assert await listed(ops) == [names[0], *other, *names[1:]]
    assert await listed(ops, "?campaign=bye") == other
    assert await listed(ops, "?app=shop&campaign=hello") == names
    answer = await ops.call("GET", SENDS + "?app=shpo")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_app")


async def test_n11_a_token_sees_its_apps_only(ops: Ops) -> None:
    await plant(ops, *spread(1))
    mine = await plant(ops, *spread(2), app="other")
    token = await ops.token("read", apps=["other"])
    assert await listed(ops, token=token) == mine
    assert (await ops.call("GET", SENDS + "?app=shop", token)).status_code == 403


async def test_n11_states_are_those_of_the_answer(ops: Ops) -> None:
    done = await plant(ops, *spread(3), state="done")
    paused = await plant(ops, *spread(2), paused=True)
    later = ops.clock() + timedelta(hours=1)
    scheduled = await plant(ops, *spread(1), state="planning", dueAt=later)
    assert await listed(ops, "?state=done") == done
    assert await listed(ops, "?state=paused") == paused
    assert await listed(ops, "?state=scheduled") == scheduled
    assert (await ops.call("GET", SENDS + "?state=asleep")).status_code == 422


async def test_n11_pages_miss_and_repeat_nothing_also_of_one_millisecond(ops: Ops) -> None:
    names = set(await plant(ops, *spread(1, 1, 1, 2, 2, 3, 60, 60, 60 * 48)))
    seen: list[str] = []
    query = "?limit=2"
    for _ in range(20):
        page = await ops.ok("GET", SENDS + query)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&before={page['next']}"
    assert len(seen) == len(set(seen)) and set(seen) == names


async def test_n11_what_is_looked_at_for_one_answer_is_bounded(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A rare state among many sends: an answer ends, and names where to go on.
    monkeypatch.setattr("sender_service.store.send_list.MOST_LOOKED", 40)
    monkeypatch.setattr("sender_service.store.send_list.MOST_READ", 10)
    await plant(ops, *[timedelta(seconds=s / 10) for s in range(100)])
    (rare,) = await plant(ops, timedelta(minutes=5), state="cancelled")
    page = await ops.ok("GET", SENDS + "?state=cancelled")
    assert page["items"] == [] and page["next"] is not None
    found, asked = [], 0
    while page["next"] is not None:
        page, asked = (
            await ops.ok("GET", f"{SENDS}?state=cancelled&before={page['next']}"),
            asked + 1,
        )
        found += [item["id"] for item in page["items"]]
    assert found == [rare] and asked <= 4
    everything = await listed(ops, "?limit=500")
    assert len(everything) <= 60  # bounded whatever the limit is


async def test_n10_send_is_named_by_its_first_letters(ops: Ops) -> None:
    (name,) = await plant(ops, *spread(1))
    path = f"{SENDS}/{name[:8].upper()}"
    assert (await ops.ok("GET", path))["id"] == name
    assert (await ops.ok("POST", f"{path}/pause"))["state"] == "paused"
    (entry,) = [d for d in (await ops.ok("GET", "/v1/audit"))["items"] if "pause" in d["route"]]
    assert entry["target"]["send"] == name
    for short in (name[:5], "ffffff"):
        assert (await ops.call("GET", f"{SENDS}/{short}")).status_code == 404
    token = await ops.token("read", apps=["other"])
    assert (await ops.call("GET", path, token)).status_code == 404


async def test_n10_several_that_begin_alike_are_listed(ops: Ops) -> None:
    first, second = "abcdef12-58d4-4b8a-9a61-0f4c1f2a7d10", "abcdef34-58d4-4b8a-9a61-0f4c1f2a7d10"
    foreign = "abcdef56-58d4-4b8a-9a61-0f4c1f2a7d10"
    for name, app in ((first, "shop"), (second, "shop"), (foreign, "other")):
        send = a_send(name, ops.clock, head=head_of(name), app=app)
        await ops.database["sends"].insert_one(send)
    token = await ops.token("operate", apps=["shop"])
    answer = await ops.call("POST", f"{SENDS}/abcdef/cancel", token)
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_id")
    assert first in answer.json()["message"] and second in answer.json()["message"]
    assert foreign not in answer.text
    assert (await ops.ok("GET", f"{SENDS}/abcdef1", token))["id"] == first


async def test_n10_person_and_dead_letter_too(ops: Ops) -> None:
    person = "5f0c1d9b6a3e4f7d8c2b1a0e9d8c7b6a"
    await ops.add_person(person, login="ann", head=head_of(person))
    assert (await ops.ok("GET", "/v1/people/5f0c1d"))["id"] == person
    assert (await ops.ok("GET", "/v1/people/5f0c1d9b/why"))["items"] == []
    assert (await ops.ok("GET", f"/v1/people/{person}"))["id"] == person
    dead_letter = await save_dead_letter(ops, b'{"app": "shop"}')
    assert (await ops.ok("GET", f"/v1/dead-letters/{dead_letter.id[:7]}"))["id"] == dead_letter.id
    body = {"ids": [dead_letter.id[:6]]}
    (item,) = (await ops.ok("POST", "/v1/dead-letters/replay", json=body))["items"]
    assert item["id"] == dead_letter.id
    assert (await ops.call("GET", "/v1/dead-letters/zzzzzz")).status_code == 422
