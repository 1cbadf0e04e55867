"""Tests that what was reported is not reported again; what was refused or lost, or is another's, is."""

from __future__ import annotations

from typing import Any

from shared.models.app import App
from tests.browser import sdks
from tests.browser.sdks import PLAYER
from tests.browser.site import KEY, STUB, VAULT, Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually

ANNA = {"pageType": "other", "login": "anna"}
ORDER = {"pageType": "other", "basketItems": {"1": {"price": 2}}, "transaction": {"id": "ORDER-77"}}
SDK = f"<script>{sdks.V16}; Object.assign(sdk, {{id: '{PLAYER}', on: true}})</script>"


async def visit(site: Site, visitor: Visitor, *layer: Any, head: str = "") -> None:
    """Visit a page of its own, until its events are answered."""
    seen = site.types().count("pageview")
    await visitor.go(site.page(f"/{seen}", head, layer=list(layer)))
    await site.until(*["pageview"] * (seen + 1))
    await eventually(lambda: _all_answered(visitor))


async def _all_answered(visitor: Visitor) -> bool:
    keys: list[str] = await visitor.page.evaluate("Object.keys(localStorage)")
    return not any(".q." in key for key in keys)


def identified(site: Site) -> list[Any]:
    return [event["data"] for event in site.of("identify")]


async def test_refused_login_is_reported_again(site: Site, visitor: Visitor) -> None:
    site.rejected.append({"index": 0, "code": "login_hash", "message": "wrong"})
    await visit(site, visitor, ANNA)
    site.rejected.clear()
    await visit(site, visitor, ANNA)
    await visit(site, visitor, ANNA)
    assert identified(site) == [{"login": "anna"}] * 2


async def test_another_proof_is_news(site: Site, visitor: Visitor) -> None:
    await visit(site, visitor, {**ANNA, "loginHash": "bad"})
    await visit(site, visitor, {**ANNA, "loginHash": "good"})
    assert [data["loginHash"] for data in identified(site)] == ["bad", "good"]


async def test_refused_purchase_and_player_are_reported_again(site: Site, visitor: Visitor) -> None:
    site.answers.extend([(401, {})] * 4)
    fail = "<script>window.failed = []; carillon('onError', (e) => failed.push(e.where))</script>"
    await visitor.go(site.page("/", fail + SDK, layer=[ORDER]))
    await visitor.page.wait_for_function(
        "['send purchase', 'send oneSignal'].every((where) => failed.includes(where))"
    )
    site.answers.clear()
    await visit(site, visitor, ORDER, head=SDK)
    await site.until("purchase", "oneSignal")
    await visit(site, visitor, ORDER, head=SDK)
    for kind in ("purchase", "oneSignal"):
        assert len({event["id"] for event in site.of(kind)}) == 1


async def test_refused_player_is_not_reported_again_by_the_same_page(
    site: Site, visitor: Visitor
) -> None:
    # Which looks at the SDK every few seconds, here every 20 ms.
    hurry = "const real = setInterval; setInterval = (work) => real(work, 20);"
    await visitor.page.add_init_script(hurry)
    site.answers.extend([(401, {})] * 100)
    fail = "<script>window.failed = []; carillon('onError', (e) => failed.push(e.where))</script>"
    await visitor.go(site.page("/", fail + SDK))
    await visitor.page.wait_for_function("failed.includes('send oneSignal')")
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 300))")
    result = await visitor.page.evaluate("failed.filter((where) => where === 'send oneSignal')")
    assert len(result) == 1


async def test_purchase_that_is_too_large_is_not_taken_for_reported(
    site: Site, visitor: Visitor
) -> None:
    many = {f"i{n:03}" + "x" * 120: {"quantity": 1, "price": 1} for n in range(200)}
    await visit(site, visitor, {**ORDER, "basketItems": many})
    assert site.of("purchase") == []
    await visit(site, visitor, ORDER)
    assert len(site.of("purchase")) == 1


async def test_several_orders_are_remembered_and_not_named(site: Site, visitor: Visitor) -> None:
    first, second = ORDER, {**ORDER, "transaction": {"id": "ORDER-78"}}
    for bought in (first, second, first, second):
        await visit(site, visitor, bought)
    assert [event["data"]["id"] for event in site.of("purchase")] == ["ORDER-77", "ORDER-78"]
    assert "ORDER" not in str(await visitor.stored())


async def test_logout_makes_the_person_news_and_no_order(site: Site, visitor: Visitor) -> None:
    known = {**ORDER, "login": "anna", "email": "a@example.test"}
    await visit(site, visitor, known)
    await visitor.carillon("logout")
    await site.until("logout")
    await visit(site, visitor, known)
    assert identified(site) == [{"login": "anna", "email": "a@example.test"}] * 2
    assert len(site.of("purchase")) == 1


async def test_pages_with_less_data_report_nothing_again(site: Site, visitor: Visitor) -> None:
    full = {**ANNA, "email": "a@example.test"}
    only = {"pageType": "other", "email": "a@example.test"}
    for layer in (full, ANNA, full, only, ANNA, full):
        await visit(site, visitor, layer)
    assert identified(site) == [{"login": "anna", "email": "a@example.test"}]


async def test_anothers_login_and_its_email_are_news(site: Site, visitor: Visitor) -> None:
    shared = {"email": "family@example.test"}
    bert = {"pageType": "other", "login": "bert"}
    for layer in ({**ANNA, **shared}, bert, {**bert, **shared}, ANNA):
        await visit(site, visitor, layer)
    assert identified(site) == [
        {"login": "anna", **shared},
        {"login": "bert"},
        {"login": "bert", **shared},
        {"login": "anna"},
    ]


async def test_email_alone_is_reported_once(site: Site, visitor: Visitor) -> None:
    visitor_by_email = {"pageType": "other", "email": "guest@example.test"}
    for _ in range(3):
        await visit(site, visitor, visitor_by_email)
    assert identified(site) == [{"email": "guest@example.test"}]


async def test_another_visitor_id_is_reported_with_all(site: Site, visitor: Visitor) -> None:
    await visit(site, visitor, ANNA, head=SDK)
    await site.until("oneSignal")
    other = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d11"
    cookie = {"name": "carillon_id", "value": other, "url": site.origin}
    await visitor.context.add_cookies([cookie])  # type: ignore[list-item]
    await visit(site, visitor, ANNA, head=SDK)
    await site.until("oneSignal", "oneSignal")
    for kind in ("identify", "oneSignal"):
        by_id = {event["id"]: event["visitorId"] for event in site.of(kind)}
        assert list(by_id.values())[1:] == [other]


async def test_clock_that_ran_ahead_silences_nothing(site: Site, visitor: Visitor) -> None:
    ahead = "<script>const now = Date.now; Date.now = () => now() + 30 * 864e5</script>"
    await visit(site, visitor, ANNA, head=ahead)
    await visit(site, visitor, ANNA)
    assert len(identified(site)) == 2


async def test_rubbish_in_place_of_what_was_reported_is_overwritten(
    site: Site, visitor: Visitor
) -> None:
    for rubbish in ("5", '"text"', "[]", '{"login": 7, "push": null}', "{"):
        spoil = f"<script>localStorage['carillon.{KEY}.reported'] = '{rubbish}'</script>"
        await visit(site, visitor, ANNA, head=spoil)
    assert len(identified(site)) == 5


async def test_two_apps_of_one_site_get_reports_each(site: Site, visitor: Visitor) -> None:
    def app(name: str, key: str) -> App:
        keys = [{"id": "browser", "kind": "write", "hash": VAULT.hash_key(key)}]
        one_signal = {"appId": "5eed0000-ca21-4110-8000-0000000de300", "restApiKey": "sealed"}
        off = {"loadOneSignal": False}
        document = {"_id": name, "name": name, "version": 1, "oneSignal": one_signal}
        return App.model_validate({**document, "keys": keys, "snippet": off})

    site.apps.take([app("one", KEY), app("two", "wk_two")])
    layer = f"var dataLayer = [{{login: 'anna', ...{{transaction: {{id: 'T1'}}}}}}]; {STUB}"
    for n, key in enumerate((KEY, "wk_two"), 1):
        script = f'<script async src="{site.ingest}/v1/snippet.js?key={key}"></script>'
        await visitor.go(site.bare(f"/{key}", f"<script>{layer}</script>{SDK}{script}"))
        kinds = ("identify", "pageview", "purchase", "oneSignal")
        await site.until(*(kind for kind in kinds for _ in range(n)))
