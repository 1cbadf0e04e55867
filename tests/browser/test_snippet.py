"""The snippet on pages of a test's own: what it sends, keeps, and never lets out."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.site import KEY, Site
from tests.browser.visitor import Visitor
from tests.support.page_urls import PATHS
from tests.support.stack import eventually

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def test_page_view_states_where_who_and_how(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/shop"))
    [event] = await site.until("pageview")
    assert UUID.fullmatch(event["id"])
    assert UUID.fullmatch(event["visitorId"])
    assert event["page"] == {"url": site.origin + "/shop", "title": "A page"}
    assert event["context"] == {
        "timeZone": "Europe/Prague",
        "language": "de-DE",
        "browser": "Chrome",
        "sdk": "carillon/1.3.0",
    }


async def test_decision_6_secrets_never_leave_the_page(site: Site, visitor: Visitor) -> None:
    # Each address of the table, put into the bar as a shop's own script would.
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate(
        """paths => paths.forEach(path => {
            history.replaceState(null, "", path);
            carillon('send', 'seen');
        })""",
        [given for given, _ in PATHS],
    )
    await site.until(*["seen"] * len(PATHS))
    urls = [event["page"]["url"] for event in site.of("seen")]
    assert urls == [site.origin + kept for _, kept in PATHS]


async def test_calls_before_the_snippet_arrives_are_made_up_for(
    site: Site, visitor: Visitor
) -> None:
    calls = "carillon('send', 'first', {n: 1}); carillon('send', 'second', {n: 2});"
    await visitor.go(site.page("/", f"<script>{calls}</script>", layer=[{"pageType": "other"}]))
    await site.until("first", "second", "pageview")
    # The page view is the page's own: it may come before them or, read a moment later, behind them.
    assert [type_ for type_ in site.types() if type_ != "pageview"] == ["first", "second"]
    assert site.types().count("pageview") == 1


async def test_events_of_one_moment_travel_together(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate("for (let n = 0; n < 70; n++) carillon('send', 'many', {n})")
    await site.until(*["many"] * 70)
    assert [event["data"]["n"] for event in site.of("many")] == list(range(70))
    assert len(site.requests) <= 4
    assert len({event["id"] for event in site.events}) == len(site.events)


async def test_callback_learns_what_became_of_the_event(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    site.rejected.append({"index": 1, "code": "nobody", "message": "must have a login"})
    results = await visitor.page.evaluate("""new Promise((done) => {
        const found = [];
        const take = (result) => found.push(result) === 2 && done(found);
        carillon('send', 'good', {}, take);
        carillon('identify', {}, take);
    })""")
    assert [result["ok"] for result in results] == [True, False]
    assert results[1]["code"] == "nobody"


async def test_visitor_survives_the_loss_of_either_store(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    first = await visitor.id()
    await visitor.context.clear_cookies()
    await visitor.page.reload()
    assert await visitor.id() == first
    await visitor.page.evaluate("localStorage.clear()")
    await visitor.page.reload()
    assert await visitor.id() == first
    stored = await visitor.stored()
    assert stored["cookie:carillon_id"] == first
    assert first in stored["carillon.visitor"]


async def test_nothing_is_kept_once_it_is_reported(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await eventually(lambda: _queued(visitor, 0))


async def _queued(visitor: Visitor, count: int) -> bool:
    keys: list[str] = await visitor.page.evaluate("Object.keys(localStorage)")
    return sum(key.startswith(f"carillon.{KEY}.q.") for key in keys) == count


async def test_without_consent_nothing_is_sent_or_stored(site: Site, visitor: Visitor) -> None:
    refuse = "<script>carillon('send', 'early'); carillon('consent', false);</script>"
    await visitor.go(site.page("/", refuse))
    await visitor.loaded()
    await visitor.carillon("send", "late")
    await visitor.carillon("identify", {"login": "anna"})
    await visitor.page.evaluate(
        "dataLayer = window.dataLayer || []; dataLayer.push({pageType: 'a'})"
    )
    await visitor.page.goto(site.page("/other", "<script>carillon('consent', false)</script>"))
    await visitor.loaded()
    assert await visitor.stored() == {}
    assert site.events == []


async def test_consent_taken_back_clears_what_was_there(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", layer=[{"pageType": "other", "login": "anna"}]))
    await site.until("pageview", "identify")
    before = await visitor.id()
    await visitor.carillon("consent", False)
    await visitor.carillon("send", "never")
    assert await visitor.stored() == {}
    await visitor.carillon("consent", True)
    await visitor.carillon("send", "again")
    await site.until("again")
    assert "never" not in site.types()
    assert site.of("again")[0]["visitorId"] != before


async def test_app_that_requires_consent_waits_for_it(site: Site, visitor: Visitor) -> None:
    site.configure(requireConsent=True)
    await visitor.go(site.page("/", "<script>carillon('send', 'early')</script>"))
    await visitor.loaded()
    assert await visitor.stored() == {}
    await visitor.carillon("consent", True)
    await site.until("pageview", "early")


async def test_included_twice_it_runs_once(site: Site, visitor: Visitor) -> None:
    again = f'<script async src="{site.ingest}/v1/snippet.js?key={KEY}&again"></script>'
    await visitor.go(site.page("/", again))
    await site.until("pageview")
    await visitor.carillon("send", "last")
    await site.until("last")
    assert site.types() == ["pageview", "last"]


async def test_no_error_reaches_the_page(site: Site, visitor: Visitor) -> None:
    await visitor.go(
        site.page(
            "/",
            """<script>
            window.errors = [];
            carillon('onError', () => { throw new Error('the listener fails too'); });
            carillon('onError', (error) => errors.push(error.where));
            const circle = {}; circle.circle = circle;
            carillon('send', 'circular', circle);
            carillon('send', 'large', {text: 'x'.repeat(40000)});
            carillon('send', 'fine', {}, () => { throw new Error('the callback fails'); });
            carillon('nonsense');
            carillon();
            carillon('send', 12n);
            </script>""",
            layer=[None, 7, {"pageType": {}, "basketItems": "?", "transaction": {"id": None}}],
        )
    )
    await site.until("fine")
    await visitor.page.wait_for_function("errors.includes('callback')")
    assert await visitor.page.evaluate("errors.length") >= 5
    assert {"circular", "large"}.isdisjoint(site.types())


async def test_hostile_page_gets_no_error_either(site: Site, visitor: Visitor) -> None:
    hostile = "window.fetch = undefined; window.Intl = undefined; localStorage.setItem = null;"
    await visitor.go(site.page("/", f"<script>{hostile} dataLayer = 'text'</script>"))
    await visitor.loaded()
    await visitor.carillon("send", "any")
    await visitor.carillon("profile")
    await visitor.go(site.page("/fine"))
    await site.until("pageview", "any")  # it waited in the storage


async def test_unreachable_ingest_costs_the_page_nothing(site: Site, visitor: Visitor) -> None:
    await visitor.go(
        site.bare("/", '<script async src="http://127.0.0.1:1/v1/snippet.js?key=x"></script>')
    )
    assert await visitor.page.title() == "A page"


async def test_strict_policy_needs_two_lines(site: Site, visitor: Visitor) -> None:
    policy = (
        f"default-src 'none'; script-src 'nonce-abc' {site.ingest}; connect-src {site.ingest};"
        " base-uri 'none'; form-action 'none'"
    )
    script = f'<script async src="{site.ingest}/v1/snippet.js?key={KEY}"></script>'
    stub = "<script nonce='abc'>window.carillon = function () {}</script>"
    await visitor.go(site.bare("/", stub + script, Content_Security_Policy=policy))
    await site.until("pageview")
    assert not [line for line in visitor.console if "Content Security Policy" in line]


async def test_profile_is_displayed_in_the_console(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await visitor.loaded()
    found = await visitor.page.evaluate("carillon('profile')")
    assert found["visitorId"] == await visitor.id()
    await eventually(lambda: any('"oneSignal"' in line for line in visitor.console))


@pytest.mark.parametrize("end", ["", "/"])
async def test_served_script_may_be_named_otherwise(site: Site, visitor: Visitor, end: str) -> None:
    # A shop's own host serves it under another name, and names the address for events.
    async with httpx.AsyncClient(trust_env=False) as client:
        script = await client.get(f"{site.ingest}/v1/snippet.js?key={KEY}")
    site.pages["/own.js"] = (script.text, {})
    await visitor.go(
        site.bare("/", f'<script async src="/own.js" data-ingest="{site.ingest}{end}"></script>')
    )
    await site.until("pageview")


async def test_two_tabs_send_each_event_once(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    other = await visitor.new_page()
    await other.goto(site.page("/other"))
    await site.until("pageview", "pageview")
    for n in range(10):
        await visitor.carillon("send", "left", {"n": n})
        await other.evaluate("(n) => carillon('send', 'right', {n})", n)
    await site.until(*["left"] * 10, *["right"] * 10)
    assert len({event["id"] for event in site.events}) == len(site.events)
