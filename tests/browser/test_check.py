"""carillon('check'): on pages with everything right, and with one thing wrong, before the real ingest."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Route

from tests.browser import sdks
from tests.browser.checking import ALL_RIGHT, READY, WORKER, Check, Ingest, oks
from tests.browser.sdks import PLAYER
from tests.browser.site import Site
from tests.browser.visitor import Visitor


async def test_n8_a_page_with_everything(site: Site, ingest: Ingest, check: Check) -> None:
    report = await check()
    assert oks(report) == ALL_RIGHT
    assert site.origin in report["origin"][1]
    assert "v16" in report["sdk"][1]
    assert PLAYER in report["player"][1]
    kinds = {event.type for event in ingest.api.log.events}
    assert kinds <= {"pageview", "oneSignal"}  # it adds none of its own


async def test_n8_v15_and_a_strict_policy(site: Site, ingest: Ingest, check: Check) -> None:
    policy = f"script-src 'unsafe-inline' {ingest.url}; connect-src 'self' {ingest.url}"
    report = await check(sdks.V15 + READY, Content_Security_Policy=policy)
    assert oks(report) == ALL_RIGHT
    assert "v15" in report["sdk"][1]


async def test_n8_an_origin_that_is_not_listed(
    site: Site, visitor: Visitor, ingest: Ingest, check: Check
) -> None:
    ingest.shop(origins=["https://shop.example"])
    report = await check()
    assert oks(report) == ALL_RIGHT | {"origin": False, "events": False}
    assert site.origin in report["origin"][1] and "`origins`" in report["origin"][1]
    # What the page itself sends is refused in a way that it can read, and not tried again.
    result = await visitor.page.evaluate("new Promise((done) => carillon('send', 'any', {}, done))")
    assert (result["ok"], result["code"]) == (False, "origin_not_allowed")


async def test_n8_a_key_that_is_no_more(visitor: Visitor, ingest: Ingest, check: Check) -> None:
    await check()
    ingest.shop(keys=False)
    lines = await visitor.page.evaluate("carillon('check')")
    report = {line["check"]: line for line in lines}
    assert report["key"]["ok"] is False and "unknown_key" in report["key"]["text"]
    assert report["events"]["ok"] is False
    assert report["login"]["ok"] is None


async def test_n8_what_blocks_events_is_reported(visitor: Visitor, check: Check) -> None:
    async def block(route: Route) -> None:
        await route.abort()

    await visitor.page.route("**/v1/events*", block)
    report = await check()
    assert oks(report) == ALL_RIGHT | {"events": False}
    assert "ad blocker" in report["events"][1]


async def test_n8_an_sdk_that_is_not_there(check: Check) -> None:
    report = await check("")
    assert report["sdk"][0] is False and "`loadOneSignal`" in report["sdk"][1]
    assert report["player"][0] is None


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (None, {}, "answers 404"),
        (WORKER, {"Content-Type": "text/html"}, "is served as text/html"),
        ("self.addEventListener('push', () => 1);", {}, "doesn't load OneSignal's"),
    ],
)
async def test_n8_a_worker_file_that_is_none(
    site: Site, check: Check, body: str | None, headers: dict[str, str], message: str
) -> None:
    site.pages.pop("/OneSignalSDKWorker.js")
    if body is not None:
        site.pages["/OneSignalSDKWorker.js"] = (body, headers)
    report = await check()
    assert report["worker"][0] is False
    assert message in report["worker"][1]


async def test_n8_permission_and_player(visitor: Visitor, check: Check) -> None:
    report = await check(sdks.V16 + "window.permission = 'denied';")
    assert report["permission"][0] is False
    assert report["player"][0] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"snippet": {"webhookKey": None}}, "snippet.webhookKey"),
        ({"snippet": {"webhookKey": "wh_other"}}, "refuses the webhook key"),
    ],
)
async def test_n8_webhook_key(
    ingest: Ingest, check: Check, given: dict[str, Any], message: str
) -> None:
    ingest.shop(**given)
    report = await check()
    assert report["webhook"][0] is False
    assert message in report["webhook"][1]


async def test_n8_consent(ingest: Ingest, visitor: Visitor, check: Check) -> None:
    # The report needs none, for it neither stores nor sends anything of the visitor.
    ingest.shop(snippet={"requireConsent": True})
    report = await check("")
    assert report["consent"][0] is False
    assert await visitor.stored() == {}
    assert ingest.api.log.events == []


@pytest.mark.parametrize(
    ("proof", "layer", "ok", "message"),
    [
        ({"required": False}, "", None, "need no `loginHash`"),
        ({"required": True}, "", False, "no secret"),
        (None, "<script>dataLayer = [{login: 'eva'}]</script>", False, "without `loginHash`"),
        (None, "<script>dataLayer = [{login: 'undefined'}]</script>", False, "names nobody"),
        (
            {"required": False},
            "<script>dataLayer = [{login: '{{ id }}'}]</script>",
            False,
            "names nobody",
        ),
        (
            {"required": False},
            "<script>dataLayer = [{login: 'eva'}]</script>",
            None,
            "need no `loginHash`",
        ),
    ],
)
async def test_n8_login_hash(
    ingest: Ingest, check: Check, proof: Any, layer: str, ok: bool | None, message: str
) -> None:
    if proof is not None:
        ingest.shop(loginHash=proof)
    report = await check(head=layer)
    assert report["login"][0] is ok
    assert message in report["login"][1]


async def test_n8_a_script_that_does_not_load_is_reported(visitor: Visitor, check: Check) -> None:
    async def block(route: Route) -> None:
        await route.abort()

    await check()
    await visitor.page.route("**/v1/check.js*", block)
    result = await visitor.page.evaluate(
        "new Promise((done) => { carillon('onError', done); void carillon('check'); })"
    )
    assert "check.js" in result["message"]
