"""The bridge where things come late, without an event, or after the page has gone."""

from __future__ import annotations

import pytest
from playwright.async_api import Route

from tests.browser import sdks
from tests.browser.own_sdk import (
    SUBSCRIBED,
    open_page,
    reports_of,
    wait_until_attached,
    wait_until_reported,
)
from tests.browser.sdks import PLAYER
from tests.browser.site import Site
from tests.browser.visitor import Visitor

# So that nothing is found by looking again after a while.
ONLY_EVENTS = """
const real = window.setTimeout;
window.setTimeout = (work, ms, ...rest) => (ms >= 1000 ? 0 : real(work, ms, ...rest));
window.setInterval = () => 0;
"""


@pytest.mark.parametrize(
    ("script", "event", "value"),
    [
        (sdks.V16, "change", "{current: {}}"),
        (sdks.V16, "permissionChange", "true"),
        (sdks.V15, "subscriptionChange", "true"),
        (sdks.V15, "notificationPermissionChange", "{to: 'granted'}"),
    ],
)
async def test_each_event_of_the_sdk_is_heard(
    site: Site, visitor: Visitor, script: str, event: str, value: str
) -> None:
    await visitor.page.add_init_script(ONLY_EVENTS)
    await open_page(site, visitor, script)
    await wait_until_reported(site, visitor)
    await visitor.page.evaluate(
        f"Object.assign(sdk, {{id: '{PLAYER}', on: true}}); sdk.tell('{event}', {value})"
    )
    await site.until("oneSignal")
    assert reports_of(site) == [SUBSCRIBED]


async def test_page_that_is_looked_at_again_looks_too(site: Site, visitor: Visitor) -> None:
    """Permission may be changed in the browser's settings meanwhile, without an event."""
    await visitor.page.add_init_script(ONLY_EVENTS)
    await open_page(site, visitor)
    await wait_until_reported(site, visitor)
    await visitor.page.evaluate(
        f"Object.assign(sdk, {{id: '{PLAYER}', on: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await site.until("oneSignal")
    assert reports_of(site) == [SUBSCRIBED]


@pytest.mark.parametrize("stub", ["", "window.OneSignal = window.OneSignal || [];"])
async def test_own_v15_that_comes_late_is_found(site: Site, visitor: Visitor, stub: str) -> None:
    # As a consent manager loads it, long after the page.
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate(f"{stub}{{{sdks.V15}}}")
    await visitor.page.evaluate(f"Object.assign(sdk, {{id: '{PLAYER}', on: true}})")
    await site.until("oneSignal")
    await wait_until_attached(visitor)


async def test_wish_outlives_its_page(site: Site, visitor: Visitor) -> None:
    # The page is left before the SDK has come: the tab's next page reports it.
    script = f"<script>{sdks.V16}</script>"
    await visitor.go(site.page("/login"))
    await site.until("pageview")
    await visitor.carillon("identify", {"login": "anna"})
    await site.until("identify")
    await visitor.go(site.page("/next", script, layer=[{"pageType": "other", "login": "anna"}]))
    await visitor.page.wait_for_function("window.sdk && sdk.calls.length")
    assert await visitor.page.evaluate("sdk.calls") == [["login", "anna"]]
    await visitor.page.wait_for_function("sessionStorage.length === 0")
    await visitor.go(site.page("/login"))
    await visitor.loaded()
    await visitor.carillon("logout")
    await visitor.go(site.page("/next", script))
    await visitor.page.wait_for_function("window.sdk && sdk.calls.length")
    assert await visitor.page.evaluate("sdk.calls") == [["logout"]]


async def test_own_sdk_further_down_a_slow_page_is_not_joined_by_another(
    site: Site, visitor: Visitor
) -> None:
    # Whatever makes the snippet look before the page is complete.
    site.configure(loadOneSignal=True)
    site.page("/")
    html, headers = site.pages["/"]
    own = f"<script src='/slow.js'></script><script>{sdks.V16}</script></body>"
    site.pages["/"] = (html.replace("</body>", own), headers)

    async def slow(route: Route) -> None:
        await visitor.loaded()
        await visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await route.fulfill(body="", content_type="text/javascript")

    await visitor.page.route("**/slow.js", slow)
    await visitor.go(site.origin + "/")
    await wait_until_attached(visitor)
    assert await visitor.page.locator("script[src*=OneSignalSDK]").count() == 0
