"""Lists are previewed as they are sent: whoever is named in whatever way, in a body or one a line."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.sender.intake_harness import (
    IntakeHarness,
    a_campaign,
    a_trigger,
    people,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


async def test_person_without_a_player_named_in_two_ways_is_one_person(
    harness: IntakeHarness,
) -> None:
    # Also where the two names stand in two pages.
    harness.sender.context.settings.plan.page_members = 2
    await harness.person("nobody")
    for name in ("ann", "bob", "cyd"):
        await harness.person(name, str(uuid.uuid4()))
    names = [{"login": "nobody"}, *({"login": n} for n in ("ann", "bob", "cyd")),
             {"visitor": "v-nobody"}, {"visitor": "v-unknown"}]  # fmt: skip
    trigger = a_trigger(recipients=names)
    response = await harness.http.post("/v1/sends/preview", json=trigger)
    assert response.json()["people"]["no_player"] == 2
    await harness.publish_triggers(trigger)
    await harness.plan()
    assert len(await harness.pages(trigger["id"])) == 2
    account = (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert (account["people"]["pending"], account["people"]["no_player"]) == (3, 2)


async def previewed(harness: IntakeHarness, *lines: object, people: int = 10_000) -> httpx.Response:
    body = b"\n".join(orjson.dumps(line) for line in lines)
    headers = {"content-type": "application/x-ndjson"}
    path = f"/v1/sends/preview?people={people}"
    return await harness.http.post(path, content=body, headers=headers)


async def test_list_one_a_line_is_previewed_like_the_same_in_a_body(harness: IntakeHarness) -> None:
    for name in ("ann", "bob"):
        await harness.person(name, str(uuid.uuid4()))
    recipients = [{"login": "ann"}, {"visitor": "v-bob"}, {"login": "nobody"}, {"login": "ann"}]
    head = {"app": "demo", "campaign": "welcome"}
    found = (await previewed(harness, head, *recipients)).json()
    whole = await harness.http.post("/v1/sends/preview", json={**head, "recipients": recipients})
    assert found == whole.json()
    assert (found["wouldReceive"]["players"], found["people"]["no_player"], found["exact"]) == (
        2,
        1,
        True,
    )
    assert await harness.parts() == 0 and await harness.database["sends"].count_documents({}) == 0


async def test_long_list_is_extrapolated_and_all_of_it_looked_at(harness: IntakeHarness) -> None:
    names = [f"n{n}" for n in range(60)]
    for name in names:
        await harness.person(name, str(uuid.uuid4()))
    recipients = [{"login": name} for name in names]
    head = {"app": "demo", "campaign": "welcome"}
    found = (await previewed(harness, head, *recipients, people=15)).json()
    assert (found["exact"], found["planned"]) == (False, {"people": 15, "share": 0.25})
    assert found["wouldReceive"] == {"people": 60, "players": 60}
    bad = [{"login": True}, {"login": "null"}]
    wrong = (await previewed(harness, head, *recipients, *bad, people=15)).json()
    assert (wrong["wouldReceive"]["people"], wrong["people"]["malformed"]) == (60, 2)
    assert [(name["index"], name["code"]) for name in wrong["malformed"]] == [
        (60, "id_type"),
        (61, "placeholder_login"),
    ]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "no_trigger"),
        ([{"app": "demo", "campaign": "welcome"}], "no_recipients"),
        ([{"app": "demo", "campaign": "welcome", "audience": {"all": True}}], "not_here"),
        ([{"app": "demo", "campaign": "other"}, {"login": "ann"}], "unknown_campaign"),
    ],
)
async def test_what_is_wrong_with_a_list_is_reported(
    harness: IntakeHarness, lines: list[object], code: str
) -> None:
    answer = await previewed(harness, *lines)
    assert code in answer.text and answer.status_code in (404, 422)


@pytest.mark.parametrize(
    ("variant", "warned"),
    [
        ({"url": "https://shop.example/?basket={{ basket }}"}, True),
        ({"buttons": [{"id": "b", "text": "Go", "url": "https://shop.example/{{ basket }}"}]}, True),
        ({"url": "https://shop.example/{{ basket }}", "contents": {"en": "Basket {{ basket }}"}}, False),
        ({"url": "https://shop.example/basket"}, False),
    ],
)  # fmt: skip
async def test_links_that_split_calls_are_warned_of(
    harness: IntakeHarness, variant: dict[str, Any], warned: bool
) -> None:
    # Where texts are each person's own, links cost no more calls.
    await harness.put("/v1/apps/demo/campaigns/welcome", a_campaign(**variant))
    names = [f"n{n}" for n in range(12)]
    await people(harness, *names)
    recipients = [{"login": name, "variables": {"basket": name}} for name in names]
    response = await harness.http.post("/v1/sends/preview", json=a_trigger(recipients=recipients))
    warnings = response.json()["warnings"]
    assert [w["code"] for w in warnings] == ["links_split_calls"] * warned
    if warned:
        assert "12 calls" in warnings[0]["message"] and "need 1" in warnings[0]["message"]
