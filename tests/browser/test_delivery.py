"""Tests that what is sent arrives, whatever happens to the network, to ingest and to the page."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import BrowserType

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.site import KEY, Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually


async def _started(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")


def _ids(site: Site, kind: str) -> list[str]:
    return [event["id"] for event in site.of(kind)]


async def test_offline_events_wait_and_come_in_order(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    await visitor.context.set_offline(True)
    for n in range(5):
        await visitor.carillon("send", "offline", {"n": n})
    await visitor.page.wait_for_function("Object.keys(localStorage).join().includes('.q.')")
    assert site.of("offline") == []
    await visitor.context.set_offline(False)
    await site.until(*["offline"] * 5)
    assert [event["data"]["n"] for event in site.of("offline")] == list(range(5))
    assert len(set(_ids(site, "offline"))) == 5


async def test_offline_events_outlive_their_page(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    await visitor.context.set_offline(True)
    await visitor.carillon("send", "offline")
    await visitor.page.close(run_before_unload=False)
    await visitor.context.set_offline(False)
    visitor.page = await visitor.new_page()
    await visitor.go(site.page("/next"))
    await site.until("offline", "pageview", "pageview")
    assert site.types() == ["pageview", "offline", "pageview"]


async def test_refused_for_now_is_tried_again_later(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    headers = {"Retry-After": "2", "Access-Control-Expose-Headers": "Retry-After"}
    site.answers.extend([(503, {}), (429, headers)])
    waits = await visitor.page.evaluate("""new Promise((done) => {
        const waits = [];
        carillon('log', (entry) => {
            if (entry.what === 'waits') waits.push([entry.why, entry.ms]);
            if (entry.what === 'sent' && waits.length) done(waits);
        });
        carillon('send', 'patient');
    })""")
    assert [why for why, _ in waits] == [503, 429]
    assert 500 <= waits[0][1] <= 1000
    assert waits[1][1] >= 2000
    assert len(_ids(site, "patient")) == 1


async def test_the_next_page_waits_as_long(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    headers = {"Retry-After": "3", "Access-Control-Expose-Headers": "Retry-After"}
    site.answers.append((429, headers))
    await visitor.carillon("send", "patient")
    wait = f"localStorage['carillon.{KEY}.wait']"
    await visitor.page.wait_for_function(wait)
    until = await visitor.page.evaluate(f"Number({wait})")
    await visitor.go(site.page("/next"))
    await site.until("patient", "pageview", "pageview")
    assert await visitor.page.evaluate("Date.now()") >= until


async def test_refused_for_good_is_not_tried_again(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    site.answers.append((401, {}))
    await visitor.page.evaluate("""new Promise((done) => {
        carillon('onError', done);
        carillon('send', 'refused');
    })""")
    await visitor.carillon("send", "next")
    await site.until("next")
    assert site.of("refused") == []


async def test_page_closed_mid_request_loses_nothing(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    site.may_answer.clear()  # it arrives, and no answer comes
    await visitor.carillon("send", "closing", {"n": 1})
    await site.until("closing")
    await visitor.page.close(run_before_unload=False)
    site.may_answer.set()
    visitor.page = await visitor.new_page()
    await visitor.go(site.page("/next"))
    await site.until("pageview", "pageview")
    await eventually(lambda: _queue_is_empty(visitor))
    assert len(set(_ids(site, "closing"))) == 1  # perhaps twice on the way, once in effect


async def test_page_closed_before_the_request_loses_nothing(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    site.answers.extend([(503, {})] * 2)  # also for what the closing page tries at last
    site.page("/next")
    await visitor.page.evaluate("carillon('send', 'closing'); location.href = '/next'")
    await visitor.page.wait_for_url("**/next")
    await site.until("closing")
    assert len(set(_ids(site, "closing"))) == 1


async def test_event_sent_while_the_page_goes_arrives(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    await visitor.page.evaluate("addEventListener('pagehide', () => carillon('send', 'last'))")
    await visitor.go("about:blank")
    visitor.page = await visitor.new_page()
    await visitor.go(site.page("/next"))
    await site.until("last")
    assert len(set(_ids(site, "last"))) == 1


async def test_what_waits_behind_a_slow_answer_goes_with_the_page(
    site: Site, visitor: Visitor
) -> None:
    await _started(site, visitor)
    site.may_answer.clear()
    await visitor.carillon("send", "slow")
    await site.until("slow")
    await visitor.carillon("send", "behind")
    await visitor.go("about:blank")
    await site.until("behind")
    assert site.types() == ["pageview", "slow", "behind"]


async def _queue_is_empty(visitor: Visitor) -> bool:
    keys = await visitor.page.evaluate("Object.keys(localStorage)")
    return not any(key.startswith(f"carillon.{KEY}.q.") for key in keys)


async def test_queue_is_bounded_by_its_events(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    await visitor.context.set_offline(True)
    await visitor.page.evaluate("for (let n = 0; n < 250; n++) carillon('send', 'many', {n})")
    kept = await visitor.page.evaluate("JSON.stringify(localStorage).length")
    assert kept < 300_000
    await visitor.context.set_offline(False)
    await eventually(lambda: _queue_is_empty(visitor), 20)
    numbers = [event["data"]["n"] for event in site.of("many")]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 249  # the newest stay
    assert 50 < len(numbers) <= 200


async def test_blocked_cookies_cost_the_identity_only(
    site: Site, chromium_type: BrowserType, tmp_path: Path
) -> None:
    # As a visitor blocks them: every look at a cookie or at the storage is refused.
    preferences = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    folder = tmp_path / "Default"
    folder.mkdir()
    (folder / "Preferences").write_text(json.dumps(preferences))
    context = await chromium_type.launch_persistent_context(
        tmp_path, executable_path=CHROMIUM, args=ARGUMENTS
    )
    try:
        visitor = await Visitor.within(context)
        await visitor.go(site.page("/"))
        await site.until("pageview")
        blocked = "(() => { try { return localStorage && false } catch { return true } })()"
        assert await visitor.page.evaluate(blocked)
        first = await visitor.id()
        await visitor.carillon("identify", {"login": "anna"})
        await visitor.page.evaluate("carillon('send', 'leaving'); location.reload()")
        await site.until("pageview", "identify", "leaving", "pageview")
        assert await visitor.id() != first
        assert visitor.uncaught == []
    finally:
        await context.close()


async def test_two_tabs_offline_send_each_event_once(site: Site, visitor: Visitor) -> None:
    await _started(site, visitor)
    other = await visitor.new_page()
    await other.goto(site.page("/other"))
    await site.until("pageview", "pageview")
    await visitor.context.set_offline(True)
    for page in (visitor.page, other):
        await page.evaluate("for (let n = 0; n < 20; n++) carillon('send', 'tab', {n})")
    await asyncio.gather(
        *(page.wait_for_function("!navigator.onLine") for page in (visitor.page, other))
    )
    await visitor.context.set_offline(False)
    await site.until(*["tab"] * 40)
    await eventually(lambda: _queue_is_empty(visitor))
    assert len(site.of("tab")) == len(set(_ids(site, "tab"))) == 40


def _left_behind(age_ms: int | None) -> str:
    """Return a script that leaves in the storage what a killed page does; `age_ms`: of its last beat."""
    event = {"id": "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10", "type": "left", "visitorId": "v"}
    entry = json.dumps(json.dumps({"event": event}))
    key = f"carillon.{KEY}.q.' + ((Date.now() - 9e5) * 1000).toString(36) + '.deadbeef"
    alive = f"localStorage['carillon.{KEY}.alive.deadbeef'] = Date.now() - {age_ms};"
    return (
        f"<script>localStorage['{key}'] = {entry}; {alive if age_ms is not None else ''}</script>"
    )


@pytest.mark.parametrize("age_ms", [None, 11 * 60_000])
async def test_events_of_a_killed_page_are_taken_over(
    site: Site, visitor: Visitor, age_ms: int | None
) -> None:
    await visitor.go(site.page("/", _left_behind(age_ms), layer=[{"pageType": "other"}]))
    await site.until("left", "pageview")
    assert site.types() == ["left", "pageview"]
    await eventually(lambda: _queue_is_empty(visitor))


async def test_events_of_a_living_page_are_left_to_it(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", _left_behind(1_000)))
    await site.until("pageview")
    await visitor.carillon("send", "last")
    await site.until("last")
    assert site.of("left") == []
    assert not await _queue_is_empty(visitor)


async def test_rubbish_in_the_queue_is_thrown_away(site: Site, visitor: Visitor) -> None:
    rubbish = "".join(
        f"localStorage['carillon.{KEY}.q.{name}'] = '{text}';"
        for name, text in {"a": "{", "b.c.d": "7", "e.f": "{}", "..": "null"}.items()
    )
    await visitor.go(site.page("/", f"<script>{rubbish}</script>"))
    await site.until("pageview")
    await eventually(lambda: _queue_is_empty(visitor))
    assert site.types() == ["pageview"]
