"""Pages whose libraries put something of their own in place of the browser's: it works there too."""

from __future__ import annotations

import pytest

from tests.browser.site import Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually

ARRAY_FROM = {
    # As far as a set's contents and a function to map with are concerned.
    "Prototype.js": "(it) => it ? 'toArray' in Object(it) ? it.toArray() : [].slice.call(it) : []",
    "MooTools": "(it) => typeof Object(it).length === 'number' ? [].slice.call(it) : [it]",
}


@pytest.mark.parametrize("library", ARRAY_FROM)
async def test_librarys_array_from(site: Site, visitor: Visitor, library: str) -> None:
    """Shops on Magento 1 have Prototype.js in all their pages."""
    calls = f"Array.from = {ARRAY_FROM[library]}; carillon('send', 'early', {{n: 1}})"
    await visitor.go(site.page("/", f"<script>{calls}</script>", layer=[{"pageType": "other"}]))
    await site.until("pageview", "early")
    await visitor.carillon("send", "late")
    await site.until("late")
    await visitor.answered()
    assert site.of("early")[0]["data"] == {"n": 1}
    await visitor.carillon("consent", False)
    assert await visitor.stored() == {}


async def test_odd_answers_of_the_pages_own_fetch_are_a_failure(
    site: Site, visitor: Visitor
) -> None:
    # They were asked for again at once, without end.
    wrapped = """
        window.asked = 0;
        const real = fetch;
        window.fetch = (...given) => { asked++; return real(...given).then(() => {}) };
    """
    calls = "window.log = []; carillon('log', (entry) => log.push(entry))"
    await visitor.go(site.page("/", f"<script>{wrapped}{calls}</script>"))
    await visitor.page.wait_for_function("log.some((entry) => entry.what === 'waits')")
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert await visitor.page.evaluate("asked") == 1  # the next one comes after 500 ms at least
    await visitor.page.evaluate("window.fetch = real")
    await visitor.answered()
    await eventually(lambda: site.tries == 2)
    assert len({event["id"] for event in site.events}) == 1


@pytest.mark.parametrize(
    "queue",
    ["[[Object.create(null)], ['send', 'good']]", "[null, 5, [], [Symbol()], ['send', 'good']]"],
)
async def test_odd_call_in_the_stubs_queue_costs_itself_only(
    site: Site, visitor: Visitor, queue: str
) -> None:
    await visitor.go(site.page("/", f"<script>carillon.q = {queue}</script>"))
    await site.until("pageview", "good")
    await visitor.carillon("send", "after")
    await site.until("after")


async def test_layer_that_takes_no_push_of_ours_is_read(site: Site, visitor: Visitor) -> None:
    layer = "dataLayer = Object.freeze([{pageType: 'basket'}])"
    await visitor.go(site.page("/", f"<script>{layer}</script>"))
    await site.until("pageview")
    assert site.events[0]["data"] == {"pageType": "basket"}


async def test_endless_layer_is_read(site: Site, visitor: Visitor) -> None:
    layer = "dataLayer = Array(200000).fill({event: 'x'}).concat({pageType: 'basket'})"
    await visitor.go(site.page("/", f"<script>{layer}</script>"))
    await site.until("pageview")
    assert site.events[0]["data"] == {"pageType": "basket"}
