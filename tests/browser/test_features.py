"""Browsers that lack what docs/browser.md says may be missing: events arrive once, the page sees no
error."""

from __future__ import annotations

import pytest

from tests.browser.site import Site
from tests.browser.visitor import Visitor

MISSING = {
    "sendBeacon": "delete Navigator.prototype.sendBeacon",
    "AbortController": "delete window.AbortController",
    "randomUUID": "delete Crypto.prototype.randomUUID",
    "keepalive": "delete Request.prototype.keepalive",
    "time zone": "delete window.Intl",
    "Notification": "delete window.Notification",
    "localStorage": "delete window.localStorage; delete window.sessionStorage",
    "getter of localStorage": """for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError') }})""",
    "cookie": """Object.defineProperty(Document.prototype, 'cookie',
        {get() { throw new DOMException('no', 'SecurityError') }, set() { throw new Error('no') }})""",
}
ALL = ";".join(MISSING[name] for name in MISSING if "localStorage" not in name)
IS_THERE = """() => [
    'sendBeacon' in navigator, 'AbortController' in window, 'randomUUID' in crypto,
    'Notification' in window, 'localStorage' in window, 'Intl' in window,
]"""


async def lacking(site: Site, visitor: Visitor, script: str) -> list[str]:
    """Open a page after `script`; return the features that it has. `heard` collects its errors."""
    await visitor.page.add_init_script(
        f"window.heard = []; addEventListener('error', (e) => heard.push(e.message)); {script}"
    )
    reported = "<script>window.reported = []; carillon('onError', (e) => reported.push(e))</script>"
    await visitor.go(site.page("/", reported, layer=[{"pageType": "other", "login": "anna"}]))
    await visitor.loaded()
    missing: list[str] = await visitor.page.evaluate(IS_THERE)
    return missing


async def nothing_went_wrong(visitor: Visitor) -> None:
    assert await visitor.page.evaluate("[heard, reported]") == [[], []]


@pytest.mark.parametrize("name", MISSING)
async def test_events_arrive_once_without_it(site: Site, visitor: Visitor, name: str) -> None:
    there = await lacking(site, visitor, MISSING[name])
    assert not all(there) or name in ("keepalive", "getter of localStorage", "cookie")
    await visitor.carillon("send", "seen", {"n": 1})
    await site.until("identify", "pageview", "seen")
    await visitor.carillon("send", "last")
    await site.until("last")
    assert sorted(site.types()) == ["identify", "last", "pageview", "seen"]
    assert len({event["id"] for event in site.events}) == 4
    assert len({event["visitorId"] for event in site.events}) == 1
    assert ("timeZone" in site.events[0]["context"]) == (name != "time zone")
    await nothing_went_wrong(visitor)


@pytest.mark.parametrize("name", ["sendBeacon", "AbortController", "randomUUID", "keepalive"])
async def test_what_a_closing_page_holds_arrives_once_without_it(
    site: Site, visitor: Visitor, name: str
) -> None:
    # Once in effect: it may travel twice, under its one id.
    await lacking(site, visitor, MISSING[name])
    await site.until("identify", "pageview")
    await visitor.page.evaluate("""
        addEventListener('pagehide', () => {
            sessionStorage.reported = JSON.stringify([reported, heard]);
        });
        carillon('send', 'closing'); addEventListener('pagehide', () => carillon('send', 'last'));
    """)
    await visitor.go(site.page("/next", "<script>window.reported = []</script>"))
    await site.until("closing", "last", "pageview", "pageview")
    assert await visitor.page.evaluate("sessionStorage.reported") == "[[],[]]"
    for kind in ("closing", "last"):
        assert len({event["id"] for event in site.of(kind)}) == 1
    await visitor.answered()
    await nothing_went_wrong(visitor)


async def test_without_sendbeacon_a_closing_page_asks_nothing_of_it(
    site: Site, visitor: Visitor
) -> None:
    # The call that isn't there was reported as an error, and the page's sign of life stayed behind.
    await lacking(site, visitor, MISSING["sendBeacon"])
    await site.until("identify", "pageview")
    await visitor.page.evaluate("""
        carillon('onError', (e) => { localStorage.failed = e.message });
        carillon('send', 'closing'); dispatchEvent(new Event('pagehide'));
        localStorage.alive = Object.keys(localStorage).filter((key) => key.includes('.alive.')).length;
    """)
    left = await visitor.stored()
    assert left["alive"] == "0"
    assert "failed" not in left
    await visitor.page.evaluate("dispatchEvent(new Event('pageshow'))")
    await site.until("closing")
    assert len(site.of("closing")) == 1


async def test_without_any_of_it(site: Site, visitor: Visitor) -> None:
    site.answers.append((503, {}))
    there = await lacking(site, visitor, ALL)
    assert not any(there[:4])
    await visitor.carillon("send", "seen")
    await site.until("identify", "pageview", "seen")
    assert sorted(site.types()) == ["identify", "pageview", "seen"]
    await nothing_went_wrong(visitor)
