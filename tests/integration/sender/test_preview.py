"""A preview says what the planner does then, and leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.mongo.collections import COLLECTIONS
from tests.integration.sender.intake_harness import IntakeHarness, a_trigger
from tests.integration.sender.previews import (
    ALL_AUDIENCE,
    add_people,
    put_campaign,
    request_preview,
)
from tests.support.providers import channel_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

CHANNEL = channel_of("demo")


async def stored(harness: IntakeHarness) -> dict[str, int]:
    """Documents by collection; who asked is in the audit trail."""
    names = [c.name for c in COLLECTIONS if c.name != "audit"]
    return {name: await harness.database[name].count_documents({}) for name in names}


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
        (ALL_AUDIENCE, {}, "Come"),
        (ALL_AUDIENCE, {"holdout": 0.3, "browsers": "last_active"}, "Come, {{ profile.language }}"),
        (SEGMENT, {"browsers": "last_active"}, "Come"),
        (LISTED, {}, "For {{ name }}"),
    ],
)
async def test_it_states_what_is_planned_then(
    harness: IntakeHarness, target: dict[str, Any], policy: dict[str, Any], contents: str
) -> None:
    await add_people(harness, 120)
    await put_campaign(harness, policy, contents={"en": contents})
    before = await stored(harness)
    preview = await request_preview(harness, **target)
    assert await stored(harness) == before
    trigger = a_trigger(**target)
    assert await harness.publish_triggers(trigger) == [None]
    await harness.plan()
    account = (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert preview["exact"] is True and preview["refusal"] is None
    assert preview["audience"] == account["audience"]
    assert preview["wouldReceive"] == {
        "players": account["pending"],
        "people": account["people"]["pending"],
    }
    assert (preview["suppressed"], preview["failed"]) == (account["suppressed"], account["failed"])
    assert preview["people"]["no_player"] == account["people"]["no_player"]
    pages = await harness.pages(trigger["id"])
    assert preview["forecast"]["calls"] == sum(len(page.chunks) for page in pages)
    texts = {
        push.text
        for page in pages
        for push in await harness.sender.context.stores.pages.pushes(page)
    }
    assert len(preview["samples"]) == min(3, account["pending"])
    assert {sample["content"] for sample in preview["samples"]} <= texts


async def test_transactional_skips_the_holdout_here_too(harness: IntakeHarness) -> None:
    await add_people(harness, 30)
    await put_campaign(harness, {"holdout": 0.9})
    marketing = await request_preview(harness, **ALL_AUDIENCE)
    transactional = await request_preview(harness, **ALL_AUDIENCE, priority="transactional")
    assert marketing["suppressed"]["holdout"] > 0 and "holdout" not in transactional["suppressed"]
    assert transactional["wouldReceive"]["players"] > marketing["wouldReceive"]["players"]


async def test_samples_show_each_language_once_and_nobody_by_name(harness: IntakeHarness) -> None:
    await add_people(harness, 60)
    await put_campaign(harness)
    samples = (await request_preview(harness, **ALL_AUDIENCE))["samples"]
    found = {sample["language"]: sample["content"] for sample in samples}
    expected = {"en": "Come", "cs": "Přijď", "cs-CZ": "Přijď", "de-AT": "Komm"}
    assert len(found) == 3 and found.items() <= expected.items()
    reported = {
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
    assert all(set(sample) == reported for sample in samples)


async def test_large_audience_is_extrapolated_and_states_so(harness: IntakeHarness) -> None:
    await add_people(harness, 900)
    await put_campaign(harness, {"browsers": "last_active"})
    exact = await request_preview(harness, **ALL_AUDIENCE)
    preview = await request_preview(harness, people=150, **ALL_AUDIENCE)
    assert (exact["exact"], preview["exact"]) == (True, False)
    assert preview["planned"]["people"] >= 90 and preview["planned"]["share"] < 0.7
    assert preview["audience"] == pytest.approx(exact["audience"], rel=0.25)
    assert preview["wouldReceive"]["players"] == pytest.approx(
        exact["wouldReceive"]["players"], rel=0.25
    )


async def test_cap_is_looked_at_and_not_used_up(harness: IntakeHarness) -> None:
    await add_people(harness, 30)
    await put_campaign(harness, {"cap": {"count": 1, "days": 1}})
    first = await request_preview(harness, **ALL_AUDIENCE)
    assert await request_preview(harness, **ALL_AUDIENCE) == {**first}
    assert "capped" not in first["suppressed"]
    await harness.publish_triggers(a_trigger(**ALL_AUDIENCE))
    await harness.plan()
    preview = await request_preview(harness, **ALL_AUDIENCE)
    assert preview["wouldReceive"]["players"] == 0 and preview["suppressed"]["capped"] > 0


async def test_quiet_hours_are_reported(harness: IntakeHarness) -> None:
    await add_people(harness, 30)
    now = utc_now()
    here = (
        (now + timedelta(hours=-2)).strftime("%H:00"),
        (now + timedelta(hours=6)).strftime("%H:00"),
    )
    await put_campaign(harness, {"quietHours": {"from": here[0], "to": here[1]}})
    preview = await request_preview(harness, **ALL_AUDIENCE)
    assert preview["quietHours"]["waiting"] == preview["wouldReceive"]["players"] > 0
    transactional = await request_preview(harness, **ALL_AUDIENCE, priority="transactional")
    assert transactional["quietHours"] is None


async def test_texts_that_dont_render_would_refuse_the_send(harness: IntakeHarness) -> None:
    await add_people(harness, 30)
    await put_campaign(harness, contents={"en": "For {{ name }}"})
    preview = await request_preview(harness, **ALL_AUDIENCE)
    assert preview["refusal"].startswith("bad_variables")
    assert preview["wouldReceive"]["players"] == 0 and preview["failed"]["bad_variables"] > 0


async def test_forecast_knows_the_window(harness: IntakeHarness) -> None:
    await add_people(harness, 60)
    await put_campaign(harness)
    forecast = (await request_preview(harness, **ALL_AUDIENCE))["forecast"]
    subscribed = await harness.sender.context.stores.people.subscribed(*CHANNEL)
    window = forecast["window"]
    assert window["disableLimit"] == subscribed * 10
    assert window["left"] == window["allowance"] == int(subscribed * 10 * 0.95 * 0.8)
    assert (
        forecast["messages"] == subscribed
        and window["mustWait"] is False
        and forecast["seconds"] == 1
    )
    await harness.sender.budget.reserve(CHANNEL, [window["left"] - 1], transactional=False)
    forecast = (await request_preview(harness, **ALL_AUDIENCE))["forecast"]
    assert forecast["window"]["left"] == 1 and forecast["window"]["mustWait"] is True
    assert forecast["seconds"] == 15 * 60


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"campaign": "other", **ALL_AUDIENCE}, 422, "unknown_campaign"),
        ({"app": "other", **ALL_AUDIENCE}, 422, "unknown_app"),
        ({"audience": {"segment": {"x": 1}}}, 422, "invalid"),
        ({**ALL_AUDIENCE, "expiresAt": "2020-01-01T00:00:00Z"}, 422, "already_expired"),
    ],
)
async def test_what_could_not_be_sent_is_reported(
    harness: IntakeHarness, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = await harness.http.post("/v1/sends/preview", json=a_trigger(**fields))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_no_id_is_needed(harness: IntakeHarness) -> None:
    trigger = a_trigger(**ALL_AUDIENCE)
    del trigger["id"]
    assert (await harness.http.post("/v1/sends/preview", json=trigger)).status_code == 200


async def test_a_send_under_way_reports_how_long(harness: IntakeHarness) -> None:
    await add_people(harness, 60)
    await put_campaign(harness)
    trigger = a_trigger(**ALL_AUDIENCE)
    await harness.publish_triggers(trigger)
    assert (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()["forecast"] is None
    await harness.plan()
    account = (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert account["forecast"] == {"seconds": 1} and account["parts"] is None
    await harness.http.post(f"/v1/sends/{trigger['id']}/pause")
    assert (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()["forecast"] is None
