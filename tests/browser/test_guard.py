"""Tests that nothing that a page does with the snippet, or to it, turns against the page."""

from __future__ import annotations

import pytest

from tests.browser.site import KEY, STUB, Site
from tests.browser.visitor import Visitor

HOSTILE = [
    "carillon('send', 'f', {get x() { throw Object.create(null) }})",
    "carillon('send', 'f', {get x() { throw {get message() { throw 1 }} }})",
    "carillon('send', 'f', {toJSON() { throw {message: Symbol()} }})",
    "carillon('visitor', () => { throw Object.create(null) })",
    "carillon('onError', () => { throw Object.create(null) }); carillon('nonsense')",
    "carillon('onError', 5); carillon('nonsense')",
    "carillon(Object.create(null))",
    "dataLayer.push({get pageType() { throw Object.create(null) }})",
    "dataLayer.push(new Proxy({}, {get() { throw Object.create(null) }}))",
]


@pytest.mark.parametrize("script", HOSTILE)
async def test_what_is_thrown_stays_inside(site: Site, visitor: Visitor, script: str) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate("(script) => { (0, eval)(script) }", script)
    await visitor.carillon("send", "after")
    await site.until("after")


@pytest.mark.parametrize(
    "bad",
    [
        "() => { throw Object.create(null) }",
        "() => Promise.reject(Object.create(null))",
        "() => Promise.reject(new Error('no'))",
        "() => ({get then() { throw 1 }})",
    ],
)
async def test_bad_callback_costs_the_others_nothing(
    site: Site, visitor: Visitor, bad: str
) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate(f"""new Promise((done) => {{
        window.failed = [];
        carillon('onError', (error) => failed.push(error.where));
        carillon('send', 'bad', {{}}, {bad});
        carillon('send', 'good', {{}}, done);
    }})""")
    await visitor.page.wait_for_function("failed.includes('callback')")


@pytest.mark.parametrize("name", ["currentScript", "scripts"])
async def test_element_with_a_scripts_name_moves_nothing(
    site: Site, visitor: Visitor, name: str
) -> None:
    """Markup that a visitor may write can take the place of the document's own properties."""
    evil = f'<img name="{name}" data-ingest="http://127.0.0.1:9/evil" src="/v1/snippet.js">'
    site.pages["/"] = (
        f"<!doctype html><title>x</title>{evil}<script>{STUB}</script>"
        f'<script async src="{site.ingest}/v1/snippet.js?key={KEY}"></script>',
        {},
    )
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    await visitor.go(site.origin + "/")
    await site.until("pageview")
    assert not [url for url in asked if "evil" in url]


async def test_half_an_emoji_costs_nothing(site: Site, visitor: Visitor) -> None:
    """Texts are cut by UTF-16 units, by us and by pages: strict readers refuse what that leaves."""
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate(r"""
        document.title = 'x'.repeat(1023) + '\u{1F514}';
        carillon('send', 'cut', {t: '\ud83d', ['k\udd14']: 'C:\\ud83d', whole: '\u{1F514}'});
        dataLayer.push({pageType: 'search', query: 'y'.repeat(511) + '\u{1F514}'});
    """)
    await site.until("cut", "pageview", "pageview")
    [cut] = site.of("cut")
    assert cut["data"] == {"t": "\ufffd", "k\ufffd": "C:\\ud83d", "whole": "\U0001f514"}
    assert cut["page"]["title"] == "x" * 1023 + "\ufffd"
    assert site.of("pageview")[1]["data"]["query"] == "y" * 511 + "\ufffd"


async def test_full_storage_costs_nothing(site: Site, visitor: Visitor) -> None:
    # The page's own things fill it: then events wait in memory, and go with the page.
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate("""() => {
        for (const size of [1e6, 100, 1]) {
            try {
                for (let n = 0; ; n++) localStorage[size + '.' + n] = 'x'.repeat(size);
            } catch {}
        }
    }""")
    for n in range(3):
        await visitor.carillon("send", "full", {"n": n})
    await site.until("full", "full", "full")
    site.page("/next")
    await visitor.page.evaluate("carillon('send', 'last'); location.href = '/next'")
    await visitor.page.wait_for_url("**/next")
    await site.until("last", "pageview", "pageview")
    assert len({event["visitorId"] for event in site.events}) == 1
    assert len({event["id"] for event in site.of("full")}) == 3


async def test_prepared_page_is_reported_once_it_is_seen(site: Site, visitor: Visitor) -> None:
    await visitor.page.add_init_script("""
        window.isPrepared = true;
        Object.defineProperty(document, 'prerendering', {get: () => isPrepared});
    """)
    await visitor.go(site.page("/", "<script>carillon('send', 'early')</script>"))
    await visitor.loaded()
    assert await visitor.stored() == {}
    await visitor.page.evaluate(
        "isPrepared = false; document.dispatchEvent(new Event('prerenderingchange'))"
    )
    await site.until("pageview", "early")


async def test_page_that_is_left_before_it_is_complete_is_reported(
    site: Site, visitor: Visitor
) -> None:
    # The layer is read when the page is complete, or goes.
    site.page("/", layer=[{"pageType": "homepage"}])
    html, headers = site.pages["/"]
    site.pages["/"] = (html.replace("</body>", "<script src='/slow.js'></script></body>"), headers)
    await visitor.page.route("**/slow.js", lambda route: None)  # never answered
    await visitor.page.goto(site.origin + "/", wait_until="commit")
    await visitor.loaded()
    assert await visitor.page.evaluate("document.readyState") == "loading"
    await visitor.page.goto("about:blank")
    await site.until("pageview")
    assert site.events[0]["data"] == {"pageType": "homepage"}


async def test_many_calls_before_the_snippet_are_all_made(site: Site, visitor: Visitor) -> None:
    calls = "for (let n = 0; n < 150; n++) carillon('send', 'early', {n})"
    await visitor.go(site.page("/", f"<script>{calls}</script>"))
    await site.until(*["early"] * 150)


async def test_too_many_calls_without_consent_are_reported(site: Site, visitor: Visitor) -> None:
    site.configure(requireConsent=True)
    await visitor.go(site.page("/"))
    await visitor.loaded()
    result = await visitor.page.evaluate("""() => {
        let told = 0;
        carillon('onError', () => told++);
        for (let n = 0; n < 150; n++) carillon('send', 'held', {n});
        carillon('consent', true);
        return told;
    }""")
    assert result == 50
    await site.until(*["held"] * 100)
    assert len(site.of("held")) == 100


async def test_callback_hears_of_what_is_never_sent(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    large = await visitor.page.evaluate(
        "new Promise((done) => carillon('send', 'large', {t: 'x'.repeat(40000)}, done))"
    )
    assert (large["ok"], large["type"], large["code"]) == (False, "large", "too_large")
    await visitor.context.set_offline(True)
    await visitor.page.evaluate("""
        window.heard = [];
        for (let n = 0; n < 250; n++) carillon('send', 'many', {n}, (result) => heard.push(result));
    """)
    await visitor.context.set_offline(False)
    await visitor.page.wait_for_function("heard.length === 250")
    refused = await visitor.page.evaluate("heard.filter((one) => !one.ok).map((one) => one.code)")
    assert set(refused) == {"dropped"}
    assert len(refused) + len(site.of("many")) == 250


async def test_many_calls_offline_cost_the_page_little(site: Site, visitor: Visitor) -> None:
    # With each event in a full queue, all of them were parsed: 3 s for these.
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.context.set_offline(True)
    ms = await visitor.page.evaluate("""() => {
        const start = performance.now();
        for (let n = 0; n < 2000; n++) carillon('send', 'many', {n, text: 'x'.repeat(500)});
        return performance.now() - start;
    }""")
    assert ms < 1500
    texts = await visitor.page.evaluate("Object.values(localStorage)")
    assert sum(map(len, texts)) < 220_000  # the queue's 200,000 and what else is kept
    assert sum("many" in text for text in texts) > 50
