"""Lists in parts: in any order, each perhaps twice, resumed, refused, forgotten when planned."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from sender_service.intake import upload as upload_module
from sender_service.planner.audience import target_of
from shared.clock import utc_now
from tests.integration.sender.door import Door, a_campaign, a_trigger, open_door

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

Trigger = dict[str, Any]


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


def in_parts(*parts: list[dict[str, Any]], **fields: Any) -> list[Trigger]:
    head = a_trigger(**fields)
    return [
        {**head, "part": n, "parts": len(parts), "recipients": recipients}
        for n, recipients in enumerate(parts, 1)
    ]


def logins(*names: str) -> list[dict[str, Any]]:
    return [{"login": name} for name in names]


async def people(door: Door, *names: str) -> dict[str, str]:
    """Login → the player of each."""
    players = {name: str(uuid.uuid4()) for name in names}
    for name, player in players.items():
        await door.person(name, player)
    return players


async def reached(door: Door, send: str) -> list[str]:
    return [member[0] for page in await door.pages(send) for member in page["members"]]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 1, 0, 2)])
async def test_parts_in_any_order_are_one_list(door: Door, order: tuple[int, ...]) -> None:
    players = await people(door, "a", "b", "c", "d")
    parts = in_parts(logins("a"), logins("b", "nobody"), logins("c", "a", "d"))
    send = parts[0]["id"]
    for index in order[:-1]:
        assert await door.say(parts[index]) == [None]
        await door.plan()
        assert (await door.send(send))["state"] == "planning"
        assert await door.pages(send) == []
    assert await door.say(parts[order[-1]]) == [None]
    await door.plan()
    assert await reached(door, send) == [players[name] for name in "abcd"]
    (page,) = await door.pages(send)
    assert page["noPlayer"] == 1
    assert (await door.send(send))["state"] == "sending"
    assert await door.parts() == 0


async def test_all_parts_in_one_batch(door: Door) -> None:
    players = await people(door, "a", "b")
    parts = in_parts(logins("a"), logins("b"))
    assert await door.say(*reversed(parts), *parts) == [None] * 4
    await door.plan()
    assert await reached(door, parts[0]["id"]) == list(players.values())


async def test_first_of_equal_recipients_wins_across_parts(door: Door) -> None:
    players = await people(door, "a")
    await door.put("/v1/apps/demo/campaigns/welcome", a_campaign(contents={"en": "For {{ name }}"}))
    first: list[dict[str, Any]] = [{"login": "a", "variables": {"name": "one"}}]
    later: list[dict[str, Any]] = [
        {"login": "a", "variables": {"name": "two"}},
        {"visitor": "v-a"},
        {"login": "x"},
    ]
    parts = in_parts(first, later, logins("x"), variables={"name": "nobody"})
    assert await door.say(*parts[::-1]) == [None] * 3
    await door.plan()
    (page,) = await door.pages(parts[0]["id"])
    assert [m[0] for m in page["members"]] == [players["a"]]
    assert page["noPlayer"] == 1
    (body,) = await door.sender.pages.bodies(page)
    assert body["contents"] == {"en": "For one"}


async def test_a_part_again_after_planning_changes_nothing(door: Door) -> None:
    await people(door, "a", "b")
    parts = in_parts(logins("a"), logins("b"))
    await door.say(*parts)
    await door.plan()
    before = await door.send(parts[0]["id"])
    other = {**parts[1], "recipients": logins("c")}
    whole = {key: value for key, value in parts[0].items() if key not in ("part", "parts")}
    assert await door.say(*parts, other, whole) == [
        None,
        None,
        "trigger_id_reused",
        "trigger_id_reused",
    ]
    assert await door.send(parts[0]["id"]) == before
    assert await door.parts() == 0


async def test_a_part_of_a_trigger_that_was_whole_is_a_dead_letter(door: Door) -> None:
    part, _ = in_parts(logins("a"), logins("b"))
    whole = {key: value for key, value in part.items() if key not in ("part", "parts")}
    assert await door.say(whole, part) == [None, "trigger_id_reused"]


@pytest.mark.parametrize(
    "differing",
    [{"campaign": "other"}, {"variables": {"n": 1}}, {"parts": 3}, {"priority": "transactional"}],
)
async def test_parts_that_disagree_refuse_the_send(door: Door, differing: dict[str, Any]) -> None:
    one, two = in_parts(logins("a"), logins("b"))
    assert await door.say(one, {**two, **differing}, two) == [None, None, None]
    send = await door.send(one["id"])
    assert send["state"] == "refused" and str(send["error"]).startswith("parts_disagree")
    assert send["closedAt"] is not None
    assert await door.parts() == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_broken_part_refuses_the_send(door: Door, order: tuple[int, int]) -> None:
    one, two = in_parts(logins("a"), [{"login": "b", "visitor": "c"}])
    parts = (one, two)
    assert await door.say(*(parts[i] for i in order), two) == [None] * 3
    send = await door.send(one["id"])
    assert send["state"] == "refused"
    assert str(send["error"]).startswith("invalid: recipients.0")
    assert await door.parts() == 0


@pytest.mark.parametrize(
    "fields", [{"part": 3}, {"part": 0}, {"part": "one"}, {"parts": 100_000}, {"part": None}]
)
async def test_numbers_of_parts_that_cannot_be(door: Door, fields: dict[str, Any]) -> None:
    one, _ = in_parts(logins("a"), logins("b"))
    assert await door.say({**one, **fields}) == [None]
    assert (await door.send(one["id"]))["state"] == "refused"


async def test_only_lists_come_in_parts(door: Door) -> None:
    trigger = a_trigger(part=1, parts=2, audience={"all": True})
    assert await door.say(trigger) == [None]
    assert (await door.send(trigger["id"]))["state"] == "refused"


async def test_missing_parts_refuse_the_send_at_its_end(door: Door) -> None:
    soon = utc_now() + timedelta(hours=1)
    one, _, three = in_parts(
        logins("a"), logins("b"), logins("c"), expiresAt=soon.isoformat(), sendAt=None
    )
    await door.say(one, three)
    send = await door.send(one["id"])
    assert send["planDue"] == send["expiresAt"]
    await door.database["sends"].update_one(
        {"_id": one["id"]}, {"$set": {"planDue": utc_now() - timedelta(seconds=1)}}
    )  # its hour is over
    await door.plan()
    send = await door.send(one["id"])
    assert (send["state"], send["error"]) == (
        "refused",
        "parts_missing: 1 of 3 parts never came",
    )
    assert await door.parts() == 0


async def test_planning_goes_on_after_a_crash_where_it_was(door: Door) -> None:
    names = [f"n{i}" for i in range(40)]
    players = await people(door, *names)
    shuffled = random.Random(5).sample([*names, *names], 80)
    parts = in_parts(*(logins(*shuffled[i : i + 16]) for i in range(0, 80, 16)))
    await door.say(*parts)
    send = await door.send(parts[0]["id"])
    reader = door.sender.audience
    whole = [c async for c in reader.candidates(target_of(send), None)]
    once = list(dict.fromkeys(shuffled))
    assert [c.profile["login"] for c in whole if c.profile] == once
    for at in (0, 7, 20, 38, 39):
        rest = [c.cursor async for c in reader.candidates(target_of(send), whole[at].cursor)]
        assert rest == [c.cursor for c in whole[at + 1 :]]
    await door.plan()
    assert await reached(door, send["_id"]) == [players[name] for name in once]


async def test_cancelled_while_parts_are_awaited_forgets_them(door: Door) -> None:
    one, two = in_parts(logins("a"), logins("b"))
    await door.say(one)
    answer = await door.http.post(f"/v1/sends/{one['id']}/cancel")
    assert answer.json()["state"] == "cancelled"
    assert await door.parts() == 0
    assert await door.say(two) == [None]
    assert await door.parts() == 0


def lines(*recipients: dict[str, Any]) -> list[bytes]:
    return [orjson.dumps(recipient) for recipient in recipients]


async def test_a_list_one_a_line_is_cut_and_sent(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 3)
    names = [f"n{i}" for i in range(8)]
    players = await people(door, *names)
    head, body = a_trigger(), lines(*logins(*names, "n0"))
    answer = await door.upload(head, [*body, b"", b"  "])
    assert answer.status_code == 202, answer.text
    assert await door.parts(head["id"]) == 3
    again = await door.upload(head, body)
    assert again.status_code == 202 and await door.parts() == 3
    other = await door.upload(head, body[:-1])
    assert (other.status_code, other.json()["code"]) == (409, "trigger_id_reused")
    await door.plan()
    assert await reached(door, head["id"]) == list(players.values())
    assert await door.parts() == 0
    assert (await door.upload(head, body)).status_code == 202
    assert await door.parts() == 0


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (b'{"login": "a", "visitor": "b"}', "lines.5", "value_error"),
        (b'{"visitor": ""}', "lines.5.visitor", "string_too_short"),
        (b'{"login": "a", "variables": {"$set": 1}}', "lines.5.variables", "value_error"),
        (b'{"login": ', "lines.5", "invalid_json"),
        (b"[]", "lines.5", "model_type"),
    ],
)
async def test_one_bad_line_and_nothing_is_kept(
    door: Door, monkeypatch: pytest.MonkeyPatch, line: bytes, field: str, code: str
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 2)
    head = a_trigger()
    answer = await door.upload(head, [*lines(*logins("a", "b", "c")), line, *lines(*logins("d"))])
    error = answer.json()
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in error["errors"]] == [(field, code)]
    assert error["message"].startswith("line 5: ")
    assert await door.parts() == 0 and await door.sender.sends.get(head["id"]) is None


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        ({"recipients": logins("a")}, 422, "invalid"),
        ({"part": 1, "parts": 2}, 422, "invalid"),
        ({"campaign": "other"}, 404, "unknown_campaign"),
        ({"app": "other"}, 404, "unknown_app"),
        ({"id": "x"}, 422, "invalid"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, 422, "already_expired"),
    ],
)
async def test_the_first_line_is_judged_before_the_list(
    door: Door, head: dict[str, Any], status: int, code: str
) -> None:
    answer = await door.upload(a_trigger(**head), lines(*logins("a")))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_list_has_lines(door: Door) -> None:
    assert (await door.upload(a_trigger(), [])).json()["code"] == "no_recipients"
    long = await door.upload(a_trigger(), [b'{"login": "' + b"x" * 2**20 + b'"}'])
    assert (long.status_code, long.json()["code"]) == (413, "line_too_large")


async def test_a_client_that_goes_away_leaves_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 2)

    async def broken_off() -> AsyncIterator[tuple[int, bytes]]:
        yield 1, orjson.dumps(a_trigger())
        for n in range(2, 9):
            yield n, b'{"login": "a%d"}' % n
        assert await door.parts() == 3
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await door.sender.intake().accept_lines(broken_off())
    assert await door.parts() == 0
