"""Campaign reports: by variant and browser, on the measurable base, and beyond their sends."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sender_service.accounting.reporting import ROLL_UP_AHEAD, SEALED_DELAY, Reporting
from sender_service.models.send import NEVER
from sender_service.ops import reports as ops_reports
from sender_service.store.interactions import InteractionStore
from sender_service.store.pages import PageStore
from sender_service.store.people import PeopleReader
from sender_service.store.reports import ReportStore
from sender_service.store.sends import SendStore
from tests.support.documents import build_player
from tests.support.ops_client import Ops, a_send
from tests.support.pages import build_page_document

REPORT = "/v1/apps/shop/campaigns/hello/report"


def reporting(ops: Ops) -> Reporting:
    database = ops.database
    return Reporting(SendStore(database), PageStore(database), PeopleReader(database),
                     ReportStore(database), InteractionStore(database), ops.clock)  # fmt: skip


async def rolled_up(ops: Ops) -> int:
    """Seal what is due, and roll it up after the delay; return how many sends that were."""
    assert await reporting(ops).roll_up_due() == 0
    ops.clock.advance(SEALED_DELAY.total_seconds())
    return await reporting(ops).roll_up_due()


async def add_player(ops: Ops, browser: str | None, *, reported: bool = False) -> str:
    player, at = str(uuid.uuid4()), ops.clock() - timedelta(days=1)
    last = at + timedelta(hours=1) if reported else at
    entry = build_player(player, f"of {player}", "shop", browser=browser, lastSeenAt=at)
    await ops.database["players"].insert_one({**entry, "lastSeenAt": last})
    return player


async def add_send(
    ops: Ops, members: list[list[str]], seen: dict[str, list[int]] | None = None, **more: Any
) -> str:
    """Store a send of one page: all in chunk "0" (variant a) or "1" (variant b) were sent to."""
    send, now = str(uuid.uuid4()), ops.clock()
    chunks = {
        name: {"variant": variant, "state": "sent", "notificationId": "n", "at": now}
        for name, variant in (("0", "a"), ("1", "b"))
    }
    page: Any = build_page_document(
        send, members, chunks, at=now, app="shop", open=False, dueAt=NEVER
    )
    document = a_send(send, ops.clock, state="done", totals=page["sums"], closedAt=now, **more)
    await ops.database["sends"].insert_one(document)
    await ops.database["pages"].insert_one(page)
    if seen:
        await see(ops, send, seen)
    return send


async def see(ops: Ops, send: str, seen: dict[str, list[int]]) -> None:
    kinds = {kind: dict.fromkeys(map(str, seen.get(kind, [])), ops.clock())
             for kind in ("impression", "click", "close")}  # fmt: skip
    counts = {kind: len(of) for kind, of in kinds.items()}
    await ops.database["interactions"].replace_one(
        {"_id": f"{send}:0"},
        {"send": send, "times": kinds, "counts": counts, "rev": 0},
        upsert=True,
    )


async def test_rates_are_over_those_who_can_report(ops: Ops) -> None:
    chrome = [await add_player(ops, "Chrome") for _ in range(4)]
    safari = [await add_player(ops, "Safari"), await add_player(ops, "Safari")]
    known = await add_player(ops, "Chrome", reported=True)
    members = [[p, p, "0"] for p in chrome + safari] + [[known, known, "1"]]
    await add_send(ops, members, {"impression": [0, 1, 2], "click": [0], "close": [1]})
    report = await ops.ok("GET", REPORT)
    assert (report["sent"], report["impressions"], report["clicks"]) == (7, 3, 1)
    assert report["measurable"] == 4  # three that reported, one that did before
    assert (report["clickRate"], report["impressionRate"]) == (0.25, 0.75)
    browsers = {b["browser"]: b for b in report["browsers"]}
    assert (browsers["Chrome"]["sent"], browsers["Chrome"]["measurable"]) == (5, 4)
    assert browsers["Safari"]["clickRate"] is None
    variants = {v["variant"]: (v["sent"], v["clicks"]) for v in report["variants"]}
    assert variants == {"a": (6, 1), "b": (1, 0)}


async def test_breakdown_follows_what_is_seen_later(ops: Ops) -> None:
    player = await add_player(ops, None)
    send = await add_send(ops, [[player, "x", "0"]])
    assert (await ops.ok("GET", REPORT))["measurable"] == 0
    await see(ops, send, {"impression": [0], "click": [0]})
    report = await ops.ok("GET", REPORT)
    (browser,) = report["browsers"]
    assert (browser["browser"], browser["clicks"], report["clickRate"]) == ("unknown", 1, 1.0)


async def test_locations_sum_the_campaigns(ops: Ops) -> None:
    await ops.open_app(campaign="other")
    await add_send(ops, [["p", "x", "0"]], {"click": [0]})
    await add_send(ops, [["q", "y", "0"]], campaign="other")
    report = await ops.ok("GET", "/v1/apps/shop/report")
    assert [item["campaign"] for item in report["items"]] == ["hello", "other"]
    (place,) = report["locations"]
    assert place["location"] == "PushNotificationLocation"
    assert (place["sent"], place["clicks"], place["measurable"]) == (2, 1, 1)


async def test_report_outlives_its_sends(ops: Ops) -> None:
    await add_send(ops, [["p", "x", "0"], ["q", "y", "1"]], {"impression": [0]})
    await add_send(ops, [["r", "z", "0"]])
    before = await ops.ok("GET", REPORT)
    ops.clock.advance(timedelta(days=36).total_seconds() - ROLL_UP_AHEAD.total_seconds() + 1)
    assert await rolled_up(ops) == 2
    assert await ops.ok("GET", REPORT) == before
    for name in ("sends", "pages", "interactions"):
        await ops.database[name].delete_many({})  # as the TTL indexes do
    assert await ops.ok("GET", REPORT) == before
    assert await ops.database["send_reports"].count_documents({}) == 0


async def test_what_was_under_way_when_the_send_was_sealed_is_in_its_report(ops: Ops) -> None:
    # A batch of webhooks looks whether a send is sealed, and writes a moment later.
    send = await add_send(ops, [["p", "x", "0"], ["q", "y", "1"]], {"impression": [0]})
    ops.clock.advance(timedelta(days=36).total_seconds())
    assert await SendStore(ops.database).sealed([send]) == set()
    assert await reporting(ops).roll_up_due() == 0
    assert await SendStore(ops.database).sealed([send]) == {send}
    ops.clock.advance(SEALED_DELAY.total_seconds() - 1)
    assert await reporting(ops).roll_up_due() == 0
    page = await PageStore(ops.database).get(f"{send}:0")
    assert page is not None
    await InteractionStore(ops.database).add([(page, {(1, "click"): ops.clock()})])
    ops.clock.advance(1)
    assert await reporting(ops).roll_up_due() == 1
    report = await ops.ok("GET", REPORT)
    assert (report["impressions"], report["clicks"]) == (1, 1)


async def test_only_what_is_rolled_up_is_ever_deleted(ops: Ops) -> None:
    send = await add_send(ops, [["p", "x", "0"]])
    (document,) = [d async for d in ops.database["sends"].find({})]
    assert "deleteAt" not in document
    await reporting(ops).roll_up_due()  # too early
    assert "deleteAt" not in (await ops.database["sends"].find_one({"_id": send}) or {})
    ops.clock.advance(timedelta(days=36).total_seconds())
    await rolled_up(ops)
    document = await ops.database["sends"].find_one({"_id": send}) or {}
    assert document["deleteAt"] == document["expireAt"]


class Crashed(Exception):
    """Exception that ends the work between two writes."""


class NeverMarking(SendStore):
    """Store that fails before a send is marked as rolled up."""

    async def mark_rolled_up(self, *args: Any) -> None:
        raise Crashed


class NeverForgetting(ReportStore):
    """Store that fails before a report forgets that a send is pending."""

    async def forget_pending(self, *args: Any) -> None:
        raise Crashed


@pytest.mark.parametrize("at", ["mark", "settle"])
async def test_crash_between_two_writes_folds_once(ops: Ops, at: str) -> None:
    await add_send(ops, [["p", "x", "0"]], {"click": [0]})
    before = await ops.ok("GET", REPORT)
    ops.clock.advance(timedelta(days=36).total_seconds())
    whole = reporting(ops)
    if at == "mark":
        broken = replace(whole, sends=NeverMarking(ops.database))
    else:
        broken = replace(whole, reports=NeverForgetting(ops.database))
    assert await broken.roll_up_due() == 0  # only sealed yet
    ops.clock.advance(SEALED_DELAY.total_seconds())
    with pytest.raises(Crashed):
        await broken.roll_up_due()
    assert await ops.ok("GET", REPORT) == before
    await whole.roll_up_due()
    await whole.roll_up_due()
    assert await ops.ok("GET", REPORT) == before


async def test_two_replicas_fold_once(ops: Ops) -> None:
    send = await add_send(ops, [["p", "x", "0"]])
    document = await SendStore(ops.database).get(send)
    assert document is not None
    await reporting(ops).roll_up(document)
    await reporting(ops).roll_up(document)  # it read the send before the other one marked it
    assert (await ops.ok("GET", REPORT))["sends"] == 1


async def test_large_sends_are_broken_down_soon_after(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_reports, "MEMBERS_NOW", 1)
    await add_send(ops, [["p", "x", "0"], ["q", "y", "0"]], {"click": [0]})
    report = await ops.ok("GET", REPORT)
    assert (report["clicks"], report["breakdownPending"], report["variants"]) == (1, 1, [])
    await reporting(ops).compute_requested()
    report = await ops.ok("GET", REPORT)
    assert (report["breakdownPending"], report["variants"][0]["clicks"]) == (0, 1)


async def test_test_pushes_are_in_no_report(ops: Ops) -> None:
    player = await add_player(ops, "Chrome")
    path = "/v1/apps/shop/campaigns/hello/test"
    answer = await ops.call("POST", path, json={"player": player, "variables": {"name": "x"}})
    assert answer.status_code == 202, answer.text
    send = answer.json()
    assert (send["priority"], send["campaign"]) == ("transactional", "hello")
    assert (await ops.ok("GET", REPORT))["sends"] == 0
    found = await ops.database["sends"].find_one({"_id": send["id"]}) or {}
    assert found["trigger"]["recipients"][0]["player"] == player


async def test_test_push_of_a_disabled_campaign_is_refused(ops: Ops) -> None:
    texts = {"headings": {"en": "a"}, "contents": {"en": "b"}, "url": "https://s.test/"}
    body = {"name": "Off", "enabled": False, "variants": [{"id": "a", **texts}]}
    await ops.ok("PUT", "/v1/apps/shop/campaigns/off", json=body)
    path = "/v1/apps/shop/campaigns/off/test"
    answer = await ops.call("POST", path, json={"player": str(uuid.uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_disabled")
