"""Lists in parts: in any order, each perhaps twice, resumed, refused, forgotten when planned."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest

from sender_service.planner.audience import AudienceReader
from sender_service.planner.target import target_of
from shared.clock import utc_now
from tests.integration.sender.intake_harness import (
    IntakeHarness,
    a_campaign,
    a_trigger,
    logins,
    people,
    reached,
)
from tests.integration.sender.sender_harness import candidates

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

Trigger = dict[str, Any]


def in_parts(*parts: list[dict[str, Any]], **fields: Any) -> list[Trigger]:
    head = a_trigger(**fields)
    return [
        {**head, "part": n, "parts": len(parts), "recipients": recipients}
        for n, recipients in enumerate(parts, 1)
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 1, 0, 2)])
async def test_parts_in_any_order_are_one_list(
    harness: IntakeHarness, order: tuple[int, ...]
) -> None:
    players = await people(harness, "a", "b", "c", "d")
    parts = in_parts(logins("a"), logins("b", "nobody"), logins("c", "a", "d"))
    send = parts[0]["id"]
    for index in order[:-1]:
        assert await harness.publish_triggers(parts[index]) == [None]
        await harness.plan()
        assert (await harness.send(send)).state == "planning"
        assert await harness.pages(send) == []
    assert await harness.publish_triggers(parts[order[-1]]) == [None]
    await harness.plan()
    assert await reached(harness, send) == [players[name] for name in "abcd"]
    (page,) = await harness.pages(send)
    assert page.document["noPlayer"] == 1
    assert (await harness.send(send)).state == "sending"
    assert await harness.parts() == 0


async def test_all_parts_in_one_batch(harness: IntakeHarness) -> None:
    players = await people(harness, "a", "b")
    parts = in_parts(logins("a"), logins("b"))
    assert await harness.publish_triggers(*reversed(parts), *parts) == [None] * 4
    await harness.plan()
    assert await reached(harness, parts[0]["id"]) == list(players.values())


async def test_first_of_equal_recipients_wins_across_parts(harness: IntakeHarness) -> None:
    players = await people(harness, "a")
    await harness.put(
        "/v1/apps/demo/campaigns/welcome", a_campaign(contents={"en": "For {{ name }}"})
    )
    first: list[dict[str, Any]] = [{"login": "a", "variables": {"name": "one"}}]
    later: list[dict[str, Any]] = [
        {"login": "a", "variables": {"name": "two"}},
        {"visitor": "v-a"},
        {"login": "x"},
    ]
    parts = in_parts(first, later, logins("x"), variables={"name": "nobody"})
    assert await harness.publish_triggers(*parts[::-1]) == [None] * 3
    await harness.plan()
    (page,) = await harness.pages(parts[0]["id"])
    assert [m[0] for m in page.members] == [players["a"]]
    assert page.document["noPlayer"] == 1
    (body,) = await harness.sender.context.stores.pages.pushes(page)
    assert body.text == "For one"


async def test_a_part_again_after_planning_changes_nothing(harness: IntakeHarness) -> None:
    await people(harness, "a", "b")
    parts = in_parts(logins("a"), logins("b"))
    await harness.publish_triggers(*parts)
    await harness.plan()
    before = await harness.send(parts[0]["id"])
    other = {**parts[1], "recipients": logins("c")}
    whole = {key: value for key, value in parts[0].items() if key not in ("part", "parts")}
    assert await harness.publish_triggers(*parts, other, whole) == [
        None,
        None,
        "trigger_id_reused",
        "trigger_id_reused",
    ]
    assert await harness.send(parts[0]["id"]) == before
    assert await harness.parts() == 0


async def test_a_part_of_a_trigger_that_was_whole_is_a_dead_letter(harness: IntakeHarness) -> None:
    part, _ = in_parts(logins("a"), logins("b"))
    whole = {key: value for key, value in part.items() if key not in ("part", "parts")}
    assert await harness.publish_triggers(whole, part) == [None, "trigger_id_reused"]


@pytest.mark.parametrize(
    "differing",
    [{"campaign": "other"}, {"variables": {"n": 1}}, {"parts": 3}, {"priority": "transactional"}],
)
async def test_parts_that_disagree_refuse_the_send(
    harness: IntakeHarness, differing: dict[str, Any]
) -> None:
    one, two = in_parts(logins("a"), logins("b"))
    assert await harness.publish_triggers(one, {**two, **differing}, two) == [None, None, None]
    send = await harness.send(one["id"])
    assert send.state == "refused" and str(send.error).startswith("parts_disagree")
    assert send.closed_at is not None
    assert await harness.parts() == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_broken_part_refuses_the_send(
    harness: IntakeHarness, order: tuple[int, int]
) -> None:
    one, two = in_parts(logins("a"), logins("b"))
    two["priority"] = "urgent"
    parts = (one, two)
    assert await harness.publish_triggers(*(parts[i] for i in order), two) == [None] * 3
    send = await harness.send(one["id"])
    assert send.state == "refused"
    assert str(send.error).startswith("invalid: priority")
    assert await harness.parts() == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0, 1)])
async def test_f18_a_bad_name_in_a_part_costs_itself(
    harness: IntakeHarness, order: tuple[int, ...]
) -> None:
    players = await people(harness, "a", "b")
    bad = [{"login": "b", "visitor": "c"}, {"login": "undefined"}, {"visitor": "a b"}]
    last: list[Any] = [bad[1], *logins("b"), 5]
    parts = in_parts([*logins("a"), bad[0]], bad, last)
    assert await harness.publish_triggers(*(parts[i] for i in order)) == [None] * len(order)
    await harness.plan()
    send = parts[0]["id"]
    assert await reached(harness, send) == list(players.values())
    account = (await harness.http.get(f"/v1/sends/{send}")).json()
    assert account["people"]["malformed"] == 6
    assert [(name["part"], name["index"], name["code"]) for name in account["malformed"]] == [
        (1, 1, "value_error"), (2, 0, "value_error"), (2, 1, "placeholder_login"),
        (2, 2, "visitor_id"), (3, 0, "placeholder_login"), (3, 2, "model_type"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fields", [{"part": 3}, {"part": 0}, {"part": "one"}, {"parts": 100_000}, {"part": None}]
)
async def test_numbers_of_parts_that_cannot_be(
    harness: IntakeHarness, fields: dict[str, Any]
) -> None:
    one, _ = in_parts(logins("a"), logins("b"))
    assert await harness.publish_triggers({**one, **fields}) == [None]
    assert (await harness.send(one["id"])).state == "refused"


async def test_only_lists_come_in_parts(harness: IntakeHarness) -> None:
    trigger = a_trigger(part=1, parts=2, audience={"all": True})
    assert await harness.publish_triggers(trigger) == [None]
    assert (await harness.send(trigger["id"])).state == "refused"


async def test_missing_parts_refuse_the_send_at_its_end(harness: IntakeHarness) -> None:
    soon = utc_now() + timedelta(hours=1)
    one, _, three = in_parts(
        logins("a"), logins("b"), logins("c"), expiresAt=soon.isoformat(), sendAt=None
    )
    await harness.publish_triggers(one, three)
    send = await harness.send(one["id"])
    assert send.plan_due == send.expires_at
    await harness.database["sends"].update_one(
        {"_id": one["id"]}, {"$set": {"planDue": utc_now() - timedelta(seconds=1)}}
    )  # its hour is over
    await harness.plan()
    send = await harness.send(one["id"])
    assert (send.state, send.error) == (
        "refused",
        "parts_missing: 1 of 3 parts never came",
    )
    assert await harness.parts() == 0


async def test_planning_goes_on_after_a_crash_where_it_was(harness: IntakeHarness) -> None:
    names = [f"n{i}" for i in range(40)]
    players = await people(harness, *names)
    shuffled = random.Random(5).sample([*names, *names], 80)
    parts = in_parts(*(logins(*shuffled[i : i + 16]) for i in range(0, 80, 16)))
    await harness.publish_triggers(*parts)
    send = await harness.send(parts[0]["id"])
    stores = harness.sender.context.stores
    reader = AudienceReader(stores.people, stores.parts)
    whole = await candidates(reader, target_of(send))
    once = list(dict.fromkeys(shuffled))
    assert [c.profile["login"] for c in whole if c.profile] == once
    for at in (0, 7, 20, 38, 39):
        rest = await candidates(reader, target_of(send), whole[at].cursor)
        assert [c.cursor for c in rest] == [c.cursor for c in whole[at + 1 :]]
    await harness.plan()
    assert await reached(harness, send.id) == [players[name] for name in once]


async def test_people_named_in_several_parts_are_in_one_page(harness: IntakeHarness) -> None:
    # Each player with the variables of its own name.
    harness.sender.context.settings.plan.page_members = 2
    await harness.put("/v1/apps/demo/campaigns/hello", a_campaign(contents={"en": "Hi {{ name }}"}))
    names: list[tuple[str, str]] = []  # player, what its push says
    for n in range(6):
        ids = [str(uuid.uuid4()), str(uuid.uuid4())]
        await harness.person(f"n{n}", *ids)
        names[n:n] = [(ids[0], f"{n}a"), (ids[1], f"{n}b")]  # some near, some far
    recipients = [{"player": player, "variables": {"name": name}} for player, name in names]
    parts = in_parts(recipients[:5], recipients[5:9], recipients[9:], campaign="hello")
    await harness.publish_triggers(*parts)
    await harness.plan()
    pages = await harness.pages(parts[0]["id"])
    assert [len({member[1] for member in page.members}) for page in pages] == [1] * 6
    texts: dict[str, str] = {}
    for page in pages:
        bodies = await harness.sender.context.stores.pages.pushes(page)
        texts |= {m[0]: bodies[int(m[2])].text for m in page.members}
    assert texts == {player: f"Hi {name}" for player, name in names}
    sums, _ = await harness.sender.context.stores.pages.sums(parts[0]["id"])
    assert (sums.pending, sums.people["pending"]) == (12, 6)


async def test_cancelled_while_parts_are_awaited_forgets_them(harness: IntakeHarness) -> None:
    one, two = in_parts(logins("a"), logins("b"))
    await harness.publish_triggers(one)
    answer = await harness.http.post(f"/v1/sends/{one['id']}/cancel")
    assert answer.json()["state"] == "cancelled"
    assert await harness.parts() == 0
    assert await harness.publish_triggers(two) == [None]
    assert await harness.parts() == 0
