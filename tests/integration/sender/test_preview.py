"""A preview says what the planner does then, and leaves nothing behind."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.clock import utc_now
from shared.ids import slot_of
from shared.mongo.collections import COLLECTIONS
from tests.fakes import START
from tests.integration.sender.intake_harness import TEXTS, IntakeHarness, a_trigger, open_door

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

LANGUAGES = ("en", "cs", "de-AT", "cs-CZ")
STATES = ("subscribed", "subscribed", "subscribed", "unsubscribed", "invalid")


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[IntakeHarness]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


async def crowd(door: IntakeHarness, count: int) -> list[str]:
    """People of all kinds: with none to two players each; returns their logins."""
    people, ledger = [], []
    for n in range(count):
        players = [
            {"id": str(uuid.uuid4()), "state": STATES[(n + i) % 5], "browser": "Chrome",
             "lastSeenAt": START + timedelta(minutes=i)}
            for i in range(n % 3)
        ]  # fmt: skip
        person = f"p-{n}"
        people.append(
            {"_id": person, "app": "demo", "slot": slot_of(person), "login": f"n{n}",
             "visitors": [f"v-n{n}"], "aliases": [], "players": players, "changedAt": START,
             "language": LANGUAGES[n % 4], "timeZone": "Europe/Prague",
             "lastSeenAt": START, "purchases": []}
        )  # fmt: skip
        ledger += [
            {"_id": p["id"], "app": "demo", "person": person, "state": p["state"], "previous": [],
             "changedAt": START}
            for p in players
        ]  # fmt: skip
    await door.database["profiles"].insert_many(people)
    await door.database["players"].insert_many(ledger)
    return [str(person["login"]) for person in people]


async def offer(door: IntakeHarness, policy: dict[str, Any] | None = None, **variant: Any) -> None:
    texts = {"contents": {"en": "Come", "cs": "Přijď", "de": "Komm"}, **variant}
    variants = [{"id": "a", **TEXTS, **texts}, {"id": "b", "weight": 2, **TEXTS, **texts}]
    body = {"name": "Welcome", "variants": variants, "policy": policy or {}}
    await door.put("/v1/apps/demo/campaigns/welcome", body)


async def preview(door: IntakeHarness, people: int = 10_000, **fields: Any) -> Any:
    answer = await door.http.post(f"/v1/sends/preview?people={people}", json=a_trigger(**fields))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(door: IntakeHarness) -> dict[str, int]:
    """Documents by collection; who asked is in the audit trail."""
    names = [c.name for c in COLLECTIONS if c.name != "audit"]
    return {name: await door.database[name].count_documents({}) for name in names}


ALL: dict[str, Any] = {"audience": {"all": True}}
SEGMENT: dict[str, Any] = {"audience": {"segment": {"language": ["cs"]}}}
LISTED: dict[str, Any] = {
    "recipients": [
        {"login": "n1", "variables": {"name": "Ann"}}, {"login": "n1"}, {"login": "nobody"},
        *({"visitor": f"v-n{n}", "variables": {"name": "Bob"}} for n in range(2, 40)),
        {"login": "n40"},
    ]
}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "policy", "contents"),
    [
        (ALL, {}, "Come"),
        (ALL, {"holdout": 0.3, "browsers": "last_active"}, "Come, {{ profile.language }}"),
        (SEGMENT, {"browsers": "last_active"}, "Come"),
        (LISTED, {}, "For {{ name }}"),
    ],
)
async def test_it_says_what_is_planned_then(
    door: IntakeHarness, target: dict[str, Any], policy: dict[str, Any], contents: str
) -> None:
    await crowd(door, 120)
    await offer(door, policy, contents={"en": contents})
    before = await stored(door)
    told = await preview(door, **target)
    assert await stored(door) == before
    trigger = a_trigger(**target)
    assert await door.publish_triggers(trigger) == [None]
    await door.plan()
    account = (await door.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert told["exact"] is True and told["wouldBeRefused"] is None
    assert told["audience"] == account["audience"]
    assert told["wouldGet"] == {
        "players": account["pending"],
        "people": account["people"]["pending"],
    }
    assert (told["suppressed"], told["failed"]) == (account["suppressed"], account["failed"])
    assert told["people"]["no_player"] == account["people"]["no_player"]
    pages = await door.pages(trigger["id"])
    assert told["forecast"]["calls"] == sum(len(page["chunks"]) for page in pages)
    texts = {
        body["contents"]["en"] for page in pages for body in await door.sender.pages.bodies(page)
    }
    assert len(told["samples"]) == min(3, account["pending"])
    assert {sample["content"] for sample in told["samples"]} <= texts


async def test_transactional_skips_the_holdout_here_too(door: IntakeHarness) -> None:
    await crowd(door, 30)
    await offer(door, {"holdout": 0.9})
    marketing = await preview(door, **ALL)
    transactional = await preview(door, **ALL, priority="transactional")
    assert marketing["suppressed"]["holdout"] > 0 and "holdout" not in transactional["suppressed"]
    assert transactional["wouldGet"]["players"] > marketing["wouldGet"]["players"]


async def test_samples_show_each_language_once_and_nobody_by_name(door: IntakeHarness) -> None:
    await crowd(door, 60)
    await offer(door)
    samples = (await preview(door, **ALL))["samples"]
    found = {sample["language"]: sample["content"] for sample in samples}
    wanted = {"en": "Come", "cs": "Přijď", "cs-CZ": "Přijď", "de-AT": "Komm"}
    assert len(found) == 3 and found.items() <= wanted.items()
    told = {
        "player",
        "language",
        "variant",
        "heading",
        "content",
        "url",
        "icon",
        "image",
        "buttons",
    }
    assert all(set(sample) == told for sample in samples)


async def test_large_audience_is_extrapolated_and_says_so(door: IntakeHarness) -> None:
    await crowd(door, 900)
    await offer(door, {"browsers": "last_active"})
    exact = await preview(door, **ALL)
    told = await preview(door, people=150, **ALL)
    assert (exact["exact"], told["exact"]) == (True, False)
    assert told["planned"]["people"] >= 90 and told["planned"]["share"] < 0.7
    assert told["audience"] == pytest.approx(exact["audience"], rel=0.25)
    assert told["wouldGet"]["players"] == pytest.approx(exact["wouldGet"]["players"], rel=0.25)


async def test_cap_is_looked_at_and_not_used_up(door: IntakeHarness) -> None:
    await crowd(door, 30)
    await offer(door, {"cap": {"count": 1, "days": 1}})
    first = await preview(door, **ALL)
    assert await preview(door, **ALL) == {**first}
    assert "capped" not in first["suppressed"]
    await door.publish_triggers(a_trigger(**ALL))
    await door.plan()
    told = await preview(door, **ALL)
    assert told["wouldGet"]["players"] == 0 and told["suppressed"]["capped"] > 0


async def test_quiet_hours_are_told(door: IntakeHarness) -> None:
    await crowd(door, 30)
    now = utc_now()
    here = (
        (now + timedelta(hours=-2)).strftime("%H:00"),
        (now + timedelta(hours=6)).strftime("%H:00"),
    )
    await offer(door, {"quietHours": {"from": here[0], "to": here[1]}})
    told = await preview(door, **ALL)
    assert told["quietHours"]["waiting"] == told["wouldGet"]["players"] > 0
    transactional = await preview(door, **ALL, priority="transactional")
    assert transactional["quietHours"] is None


async def test_texts_that_dont_render_would_refuse_the_send(door: IntakeHarness) -> None:
    await crowd(door, 30)
    await offer(door, contents={"en": "For {{ name }}"})
    told = await preview(door, **ALL)
    assert told["wouldBeRefused"].startswith("bad_variables")
    assert told["wouldGet"]["players"] == 0 and told["failed"]["bad_variables"] > 0


async def test_forecast_knows_the_window(door: IntakeHarness) -> None:
    await crowd(door, 60)
    await offer(door)
    told = (await preview(door, **ALL))["forecast"]
    subscribed = await door.sender.people.subscribed("demo")
    window = told["window"]
    assert window["disabling"] == subscribed * 10
    assert window["left"] == window["allowance"] == int(subscribed * 10 * 0.95 * 0.8)
    assert told["messages"] == subscribed and window["held"] is False and told["seconds"] == 1
    await door.sender.budget.reserve("demo", [window["left"] - 1], transactional=False)
    told = (await preview(door, **ALL))["forecast"]
    assert told["window"]["left"] == 1 and told["window"]["held"] is True
    assert told["seconds"] == 15 * 60


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"campaign": "other", **ALL}, 422, "unknown_campaign"),
        ({"app": "other", **ALL}, 422, "unknown_app"),
        ({"audience": {"segment": {"x": 1}}}, 422, "invalid"),
        ({**ALL, "expiresAt": "2020-01-01T00:00:00Z"}, 422, "already_expired"),
    ],
)
async def test_what_could_not_be_sent_is_told(
    door: IntakeHarness, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = await door.http.post("/v1/sends/preview", json=a_trigger(**fields))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_no_id_is_needed(door: IntakeHarness) -> None:
    trigger = a_trigger(**ALL)
    del trigger["id"]
    assert (await door.http.post("/v1/sends/preview", json=trigger)).status_code == 200


async def test_a_send_under_way_tells_how_long(door: IntakeHarness) -> None:
    await crowd(door, 60)
    await offer(door)
    trigger = a_trigger(**ALL)
    await door.publish_triggers(trigger)
    assert (await door.http.get(f"/v1/sends/{trigger['id']}")).json()["forecast"] is None
    await door.plan()
    account = (await door.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert account["forecast"] == {"seconds": 1} and account["parts"] is None
    await door.http.post(f"/v1/sends/{trigger['id']}/pause")
    assert (await door.http.get(f"/v1/sends/{trigger['id']}")).json()["forecast"] is None
