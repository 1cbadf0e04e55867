"""Tests of how often and how long the snippet tries, and what a page that comes back does."""

from __future__ import annotations

import pytest

from tests.browser.site import KEY, Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually

# Times a page waits, reported as they begin; each is over at once.
HURRIED = """
window.waits = [];
const real = window.setTimeout;
window.setTimeout = (work, ms, ...rest) => {
    if (ms >= 300) waits.push(Math.round(ms));
    return real(work, ms >= 300 && ms < 15000 ? 1 : ms, ...rest);
};
"""
WAITS = (
    "<script>window.told = []; carillon('log', (e) => e.what === 'waits' && told.push(e))</script>"
)


async def started(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", WAITS))
    await site.until("pageview")


async def test_waits_double(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    site.answers.extend([(503, {})] * 3)
    await visitor.carillon("send", "patient")
    await site.until("patient")
    waits = await visitor.page.evaluate("told.map((entry) => entry.ms)")
    assert len(waits) == 3
    assert all(500 * 2**n <= ms <= 1000 * 2**n for n, ms in enumerate(waits))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(site: Site, visitor: Visitor, status: int) -> None:
    await started(site, visitor)
    site.answers.append((status, {}))
    await visitor.carillon("send", "patient")
    await site.until("patient")
    # Chromium itself may ask again after a 408.
    whys = await visitor.page.evaluate("told.map((entry) => entry.why)")
    assert whys == [status] or (status == 408 and whys == [])


PORTAL = "<!doctype html><title>Log in to this hotspot</title>"


@pytest.mark.parametrize(
    "answer",
    [(200, PORTAL), (200, '{"ok": true}'), (200, ""), (401, PORTAL), (403, PORTAL), (404, PORTAL),
     (413, PORTAL), (200, '"code"'), (203, "null"), (422, '{"error": "no"}')],
)  # fmt: skip
async def test_f23_what_is_not_carillons_answer_is_tried_again(
    site: Site, visitor: Visitor, answer: tuple[int, str]
) -> None:
    await started(site, visitor)
    site.foreign.append(answer)
    await visitor.carillon("send", "patient")
    await site.until("patient")
    result = await visitor.page.evaluate("told.map((entry) => entry.why)")
    assert result == [f"not Carillon: {answer[0]}"]


@pytest.mark.parametrize("answer", [(202, ""), (202, PORTAL), (401, '{"code": "unknown_key"}')])
async def test_f23_carillons_own_answer_is_final(
    site: Site, visitor: Visitor, answer: tuple[int, str]
) -> None:
    await started(site, visitor)
    site.foreign.append(answer)
    await visitor.carillon("send", "told")
    await visitor.answered()
    assert site.tries == 2
    assert await visitor.page.evaluate("told") == []


async def test_network_that_fails_is_not_tried_for_ever(site: Site, visitor: Visitor) -> None:
    # An answer that the page can't read is one.
    site.knows_origin = False
    site.answers.extend([(403, {})] * 100)
    clock = "const now = Date.now; let ahead = 0; Date.now = () => now() + (ahead += 6e4);"
    await visitor.page.add_init_script(HURRIED + clock)
    await visitor.go(site.page("/", WAITS))
    await visitor.page.wait_for_function("told.length >= 10")
    await visitor.page.evaluate("new Promise((done) => requestAnimationFrame(done))")
    tried = site.tries
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 250))")
    assert site.tries == tried <= 12  # ten, and one each time the page came into view
    site.answers.clear()
    site.knows_origin = True
    await visitor.carillon("send", "later")  # what happens on the page starts another
    await site.until("pageview", "later")


async def test_back_online_does_not_shorten_what_carillon_asked_for(
    site: Site, visitor: Visitor
) -> None:
    await started(site, visitor)
    headers = {"Retry-After": "60", "Access-Control-Expose-Headers": "Retry-After"}
    site.answers.append((429, headers))
    await visitor.carillon("send", "patient")
    await visitor.page.wait_for_function("told.length")
    tries = site.tries
    await visitor.page.evaluate("dispatchEvent(new Event('online'))")
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert site.tries == tries


async def test_request_that_hangs_is_given_up(site: Site, visitor: Visitor) -> None:
    hurry = (
        "const real = setTimeout; setTimeout = (work, ms) => real(work, ms === 15000 ? 300 : ms)"
    )
    await visitor.page.add_init_script(hurry)
    await started(site, visitor)
    site.may_answer.clear()
    site.answers.append((503, {}))
    await visitor.carillon("send", "hanging")
    await visitor.page.wait_for_function("told.length")
    site.may_answer.set()
    await site.until("hanging")


async def test_requests_outlive_their_page_unless_that_was_refused(
    site: Site, visitor: Visitor
) -> None:
    await visitor.page.add_init_script("""
        window.kept = [];
        const real = window.fetch;
        window.fetch = (url, options) => { kept.push(options.keepalive); return real(url, options); };
    """)
    await started(site, visitor)
    site.answers.append((503, {}))
    await visitor.carillon("send", "again")
    await site.until("again")
    assert await visitor.page.evaluate("kept") == [True, True, False]


async def test_queue_is_bounded_by_its_characters(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    await visitor.context.set_offline(True)
    await visitor.page.evaluate(
        "for (let n = 0; n < 30; n++) carillon('send', 'large', {n, text: 'x'.repeat(20000)})"
    )
    texts: dict[str, str] = await visitor.page.evaluate("({...localStorage})")
    kept = [text for key, text in texts.items() if key.startswith(f"carillon.{KEY}.q.")]
    assert 8 <= len(kept) <= 10
    assert sum(map(len, kept)) < 200_000
    await visitor.context.set_offline(False)
    await site.until(*["large"] * len(kept))
    assert site.of("large")[-1]["data"]["n"] == 29


async def test_page_from_the_back_forward_cache_goes_on(site: Site, visitor: Visitor) -> None:
    # As a browser reports it: what it was given is sent again, under its id.
    await started(site, visitor)
    site.may_answer.clear()
    await visitor.carillon("send", "under way")
    await site.until("under way")
    await visitor.page.evaluate("""
        carillon('send', 'behind');
        dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}));
    """)
    await site.until("behind")
    site.may_answer.set()
    await visitor.page.evaluate("carillon('send', 'hidden')")
    await site.until("hidden")
    await visitor.page.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
    )
    await eventually(lambda: _is_empty(visitor))
    await visitor.carillon("send", "shown")
    await site.until("shown")
    assert len({event["id"] for event in site.events}) == 5


async def _is_empty(visitor: Visitor) -> bool:
    keys: list[str] = await visitor.page.evaluate("Object.keys(localStorage)")
    return not any(".q." in key for key in keys)
