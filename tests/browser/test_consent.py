"""Tests that without consent nothing is sent or stored, in all tabs and at any time."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Route

from tests.browser import sdks
from tests.browser.sdks import PLAYER
from tests.browser.site import KEY, STUB, Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually

KEPT_SECONDS, A_WHILE = 400 * 86_400, 600
LOADED = "/sdk/OneSignalSDK.page.js"


async def wait_until_sent(visitor: Visitor) -> None:
    """Longer than events are gathered for: whatever was to be sent is on its way."""
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 100))")


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("choice", ["", ", undefined", ", null", ", 0", ", 1", ", 'true'", ", {}"])
async def test_nothing_but_true_consents(
    site: Site, visitor: Visitor, choice: str, required: bool
) -> None:
    site.configure(requireConsent=required)
    await visitor.go(site.page("/", f"<script>carillon('consent'{choice})</script>"))
    await visitor.loaded()
    await visitor.carillon("send", "any")
    await wait_until_sent(visitor)
    assert await visitor.stored() == {}
    assert site.tries == 0


async def test_consent_before_the_snippet_arrives_lets_the_calls_through(
    site: Site, visitor: Visitor
) -> None:
    site.configure(requireConsent=True)
    calls = "carillon('send', 'before'); carillon('consent', true); carillon('send', 'after')"
    await visitor.go(site.page("/", f"<script>{calls}</script>"))
    await site.until("before", "after", "pageview")


async def test_calls_before_a_refusal_are_not_kept_for_later(site: Site, visitor: Visitor) -> None:
    calls = "carillon('send', 'early'); carillon('consent', false)"
    await visitor.go(site.page("/", f"<script>{calls}</script>"))
    await visitor.loaded()
    await visitor.carillon("consent", True)
    await visitor.carillon("send", "late")
    await site.until("late", "pageview")
    assert site.of("early") == []


async def test_sdk_gets_nothing_without_consent(site: Site, visitor: Visitor) -> None:
    script = f"<script>{sdks.V16}; Object.assign(sdk, {{id: '{PLAYER}', on: true}})</script>"
    await visitor.go(site.page("/", script))
    await site.until("pageview", "oneSignal")
    await visitor.carillon("consent", False)
    await visitor.page.evaluate("dataLayer.push({login: 'anna'}); sdk.on = false")
    await visitor.page.evaluate("sdk.change({optedIn: false})")
    await visitor.carillon("identify", {"login": "anna"})
    await wait_until_sent(visitor)
    assert await visitor.page.evaluate("sdk.calls") == []
    assert await visitor.page.evaluate("sessionStorage.length") == 0
    assert await visitor.stored() == {}


@pytest.mark.parametrize("early", [True, False])
async def test_sdk_is_not_started_without_consent(
    site: Site, visitor: Visitor, early: bool
) -> None:
    """Taken back before our SDK is asked for, or before it has come; given again, it starts."""
    site.pages[LOADED] = (sdks.V16, {})
    site.configure(loadOneSignal=True, sdkUrl=LOADED)
    refuse = "<script>carillon('consent', false)</script>" if early else ""
    pending: list[Route] = []
    if not early:
        await visitor.page.route("**" + LOADED, lambda route: pending.append(route))
    script = f'<script src="{site.ingest}/v1/snippet.js?key={KEY}"></script>'
    url = site.bare("/", f"<script>{STUB}</script>{script}{refuse}")
    await visitor.page.goto(url, wait_until="domcontentloaded")
    if not early:
        await eventually(lambda: pending)
        await visitor.carillon("consent", False)
        await pending[0].continue_()
        await visitor.page.wait_for_function("window.sdk")
    await wait_until_sent(visitor)
    assert await visitor.page.evaluate("window.sdk ? sdk.calls : []") == []
    await visitor.carillon("consent", True)
    await visitor.page.wait_for_function("window.sdk && sdk.calls.length")
    assert (await visitor.page.evaluate("sdk.calls"))[0][0] == "init"


async def test_refusal_in_one_tab_holds_in_all(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    other = await visitor.new_page()
    await other.goto(site.page("/other", f"<script>{sdks.V16}</script>"))
    await site.until("pageview", "pageview")
    await other.wait_for_function("Object.keys(sdk.listeners).length")
    await visitor.carillon("consent", False)
    await eventually(lambda: _is_empty(visitor))
    await other.evaluate("carillon('send', 'never'); dataLayer.push({pageType: 'other'})")
    await other.evaluate("carillon('identify', {login: 'anna'})")
    await other.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert await visitor.stored() == {}
    assert await other.evaluate("sdk.calls") == []
    assert site.types() == ["pageview", "pageview"]
    await other.evaluate("carillon('consent', true); carillon('send', 'anew')")
    await site.until("anew")


async def _is_empty(visitor: Visitor) -> bool:
    return await visitor.stored() == {}


async def test_consent_given_anew_is_one_visitor_in_all_tabs(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    other = await visitor.new_page()
    await other.goto(site.page("/other"))
    await site.until("pageview", "pageview")
    await visitor.carillon("consent", False)
    await visitor.carillon("consent", True)
    await visitor.carillon("send", "left")
    await site.until("left")
    await other.evaluate("carillon('send', 'right')")
    await site.until("right")
    assert site.of("left")[0]["visitorId"] == site.of("right")[0]["visitorId"]


async def test_answer_after_a_refusal_stores_nothing(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    site.may_answer.clear()
    site.answers.extend([(503, {})] * 2)
    await visitor.carillon("send", "under way")
    await eventually(lambda: site.tries > 1)
    await visitor.carillon("send", "behind")
    await visitor.carillon("consent", False)
    site.may_answer.set()
    await wait_until_sent(visitor)
    assert await visitor.stored() == {}
    assert site.types() == ["pageview"]


OTHER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d11"


async def test_cookie_counts_before_the_storage(site: Site, visitor: Visitor) -> None:
    # It may be shared among subdomains, each of which has a storage of its own.
    await visitor.go(site.page("/"))
    await site.until("pageview")
    cookie = {"name": "carillon_id", "value": OTHER, "url": site.origin}
    await visitor.context.add_cookies([cookie])  # type: ignore[list-item]
    await visitor.page.reload()
    assert await visitor.id() == OTHER
    assert OTHER in (await visitor.stored())["carillon.visitor"]


async def test_cookie_is_for_the_configured_domain(site: Site, visitor: Visitor) -> None:
    site.configure(cookieDomain="shop.localhost")
    site.page("/")
    await visitor.go(site.origin.replace("127.0.0.1", "www.shop.localhost") + "/")
    await site.until("pageview")
    [cookie] = await visitor.context.cookies()
    assert cookie.get("domain") == ".shop.localhost"


async def test_refusal_deletes_the_cookie_from_before_the_domain(
    site: Site, visitor: Visitor
) -> None:
    shop = site.origin.replace("127.0.0.1", "www.shop.localhost") + "/"
    site.page("/")
    await visitor.go(shop)
    await site.until("pageview")
    site.configure(cookieDomain="shop.localhost")
    await visitor.answered()
    await visitor.page.route("**/snippet.js*", lambda route: route.continue_())  # past the cache
    await visitor.go(shop)
    await site.until("pageview", "pageview")
    domains = [cookie.get("domain") for cookie in await visitor.context.cookies()]
    assert sorted(map(str, domains)) == [".shop.localhost", "www.shop.localhost"]
    await visitor.carillon("consent", False)
    assert await visitor.stored() == {}


async def test_cookie_is_first_party_and_ends(site: Site, visitor: Visitor) -> None:
    """`Secure` goes with https, which the tests' shop doesn't have; scripts read it, so not HttpOnly."""
    await visitor.go(site.page("/"))
    await site.until("pageview")
    [cookie] = await visitor.context.cookies()
    assert cookie.get("name") == "carillon_id"
    attributes = {name: cookie.get(name) for name in ("path", "sameSite", "httpOnly", "secure")}
    assert attributes == {"path": "/", "sameSite": "Lax", "httpOnly": False, "secure": False}
    assert cookie.get("domain") == urlsplit(site.origin).hostname
    assert abs(cookie.get("expires", 0) - time.time() - KEPT_SECONDS) < A_WHILE
