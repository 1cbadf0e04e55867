"""The snippet in a real Firefox (`make test-firefox` installs it): what differs between engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import sdks
from tests.browser.firefox import FIREFOX, Firefox, open_firefox
from tests.browser.sdks import PLAYER
from tests.browser.site import Site
from tests.browser.visitor import NOTHING_WAITS
from tests.support.stack import eventually

pytestmark = pytest.mark.skipif(not FIREFOX, reason="no Firefox: `make test-firefox` installs it")

# As a visitor may have set it: then `navigator.sendBeacon` isn't there.
NO_BEACON = {"beacon.enabled": False}


@pytest.fixture(params=[{}, NO_BEACON], ids=["as it is", "without sendBeacon"])
async def firefox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Firefox]:
    async with open_firefox(tmp_path, **request.param) as firefox:
        yield firefox
        has_beacon = await firefox.evaluate("'sendBeacon' in navigator")
        assert has_beacon == (request.param != NO_BEACON)
    assert firefox.uncaught == []


async def answered(firefox: Firefox) -> None:
    async def is_so() -> bool:
        return bool(await firefox.evaluate(NOTHING_WAITS))

    await eventually(is_so)


async def test_visitor_is_known_and_reported_once(site: Site, firefox: Firefox) -> None:
    layer = [
        {"pageType": "category", "hierarchyID": "7:12", "login": "anna", "basketTotal": "1 234,50"}
    ]
    await firefox.go(site.page("/", layer=layer))
    await site.until("identify", "pageview")
    [view] = site.of("pageview")
    assert view["data"] == {"pageType": "category", "hierarchyID": "7:12", "basketTotal": 1234.5}
    assert view["context"]["browser"] == "Firefox"
    assert view["context"]["timeZone"]
    result = await firefox.evaluate("new Promise((done) => carillon('send', 'seen', {n: 1}, done))")
    assert result["ok"]
    await answered(firefox)
    await firefox.evaluate("document.cookie = 'carillon_id=; path=/; max-age=0'")
    await firefox.go(site.origin + "/")
    await site.until("pageview", "pageview")
    await answered(firefox)
    await firefox.evaluate("localStorage.clear()")
    await firefox.go(site.page("/next"))
    await site.until("pageview", "pageview", "pageview")
    assert sorted(site.types()) == ["identify", *["pageview"] * 3, "seen"]
    assert len({event["visitorId"] for event in site.events}) == 1


async def test_closing_page_loses_nothing_and_refused_for_now_is_tried_again(
    site: Site, firefox: Firefox
) -> None:
    await firefox.go(site.page("/"))
    await site.until("pageview")
    site.answers.append((503, {}))
    await firefox.evaluate("carillon('send', 'patient')")
    await site.until("patient")
    await firefox.evaluate("addEventListener('pagehide', () => carillon('send', 'last'))")
    await firefox.evaluate("carillon('send', 'closing')")
    await firefox.go(site.page("/next"))
    await site.until("closing", "last", "pageview", "pageview")
    for kind in ("patient", "closing", "last"):
        assert len({event["id"] for event in site.of(kind)}) == 1
    await answered(firefox)


@pytest.mark.parametrize("script", [sdks.V16, sdks.V15], ids=["v16", "v15"])
async def test_sdk_is_called_and_heard(site: Site, firefox: Firefox, script: str) -> None:
    own = f"{script}; Object.assign(sdk, {{id: '{PLAYER}', on: true}});"
    await firefox.go(site.page("/", f"<script>{own}</script>"))
    await site.until("oneSignal", "pageview")
    expected: Any = {"playerID": PLAYER, "status": "subscribed", "permission": "granted"}
    assert site.of("oneSignal")[0]["data"] == expected
    await firefox.evaluate("carillon('identify', {login: 'anna'})")
    await firefox.evaluate("carillon('logout')")
    await site.until("identify", "logout")
    assert await firefox.evaluate("sdk.calls") == [["login", "anna"], ["logout"]]


async def test_refusal_leaves_nothing(site: Site, firefox: Firefox) -> None:
    await firefox.go(site.page("/", layer=[{"pageType": "other", "login": "anna"}]))
    await site.until("identify", "pageview")
    await firefox.evaluate("carillon('consent', false)")
    assert await firefox.evaluate("[document.cookie, {...localStorage}, {...sessionStorage}]") == [
        "", {}, {},
    ]  # fmt: skip
