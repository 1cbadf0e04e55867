"""Data layers as they are found: other people's entries, other people's numbers, and traps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.site import Site
from tests.browser.visitor import Visitor

SLOW = "<script src='/slow.js'></script>"


def reported(site: Site) -> list[tuple[str, Any]]:
    return [(event["type"], event["data"]) for event in site.events]


@pytest.mark.parametrize(
    ("head", "late"),
    [
        (
            "window.dataLayer = window.dataLayer || [];"
            "dataLayer.push({'gtm.start': 1, event: 'gtm.js'})",
            "dataLayer.push({pageType: 'detail', itemID: '9'})",
        ),
        ("window.dataLayer = [{event: 'gtm.js'}]", "var dataLayer = [{pageType: 'detail', itemID: 9}]"),
        ("var dataLayer = [{login: ''}]", "dataLayer = [{pageType: 'detail', itemID: ['9']}]"),
    ],
)  # fmt: skip
async def test_description_after_a_tag_managers_entries_is_the_pages(
    site: Site, visitor: Visitor, head: str, late: str
) -> None:
    # The page takes its time: the snippet is there before its description.
    site.page("/", f"<script>{head}</script>")
    html, headers = site.pages["/"]
    late = f"{SLOW}<script>{late}</script></body>"
    site.pages["/"] = (html.replace("</body>", late), headers)

    async def slow(route: Any) -> None:
        await visitor.loaded()
        await route.fulfill(body="", content_type="text/javascript")

    await visitor.page.route("**/slow.js", slow)
    await visitor.go(site.origin + "/")
    await site.until("pageview")
    await visitor.page.evaluate("dataLayer.push({pageType: 'other'})")
    await site.until("pageview", "pageview")
    assert reported(site) == [
        ("pageview", {"pageType": "detail", "itemID": "9"}),
        ("pageview", {"pageType": "other"}),
    ]


async def test_what_throws_costs_itself_only(site: Site, visitor: Visitor) -> None:
    layer = """<script>dataLayer = [
        {pageType: 'basket', itemID: '1', basketTotal: Object.create(null), login: Symbol()},
        {get boom() { throw new Error('boom') }, get query() { throw new Error('boom') }},
        {basketItems: {a: {quantity: {toString() { throw 1 }}, price: 2}, b: {price: Symbol()}}},
    ]; dataLayer[0].self = dataLayer;</script>"""
    await visitor.go(site.page("/", layer))
    await site.until("pageview")
    await visitor.page.evaluate("""
        dataLayer.push({pageType: 'category', get itemID() { throw new Error('boom') }});
        dataLayer.push({pageType: 'other', basketItems: {get a() { throw 1 }}});
        dataLayer.push({pageType: 'search', transaction: {get id() { throw 1 }}});
    """)
    await site.until(*["pageview"] * 4)
    assert reported(site) == [
        (
            "pageview",
            {
                "pageType": "basket",
                "itemID": "1",
                "basketItems": [{"itemID": "a", "price": 2}, {"itemID": "b"}],
            },
        ),
        ("pageview", {"pageType": "category"}),
        ("pageview", {"pageType": "other"}),
        ("pageview", {"pageType": "search"}),
    ]


async def test_endless_texts_are_cut(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate("""dataLayer.push({
        pageType: 'p'.repeat(1e6), itemID: 'i'.repeat(1e6), query: 'q'.repeat(1e6),
        basketTotal: '9'.repeat(1e6), __proto__: {polluted: 1},
    })""")
    await site.until("pageview", "pageview")
    assert reported(site)[1][1] == {"pageType": "p" * 128, "itemID": "i" * 128, "query": "q" * 512}


async def test_order_pushed_alone_has_the_pages_basket(site: Site, visitor: Visitor) -> None:
    basket = {"1": {"quantity": 1, "price": 2}}
    layer = [{"pageType": "other", "basketItems": basket, "currency": "EUR"}]
    await visitor.go(site.page("/", layer=layer))
    await site.until("pageview")
    await visitor.page.evaluate("dataLayer.push({transaction: {id: 'T', revenue: 2}})")
    await site.until("purchase")
    items = [{"itemID": "1", "quantity": 1, "price": 2}]
    assert reported(site)[1:] == [
        ("purchase", {"id": "T", "items": items, "revenue": 2, "currency": "EUR"})
    ]


@pytest.mark.parametrize("given", [["EUR"], " EUR ", [" EUR", "CZK"]])
async def test_currency_as_a_list_or_with_blanks_is_read(
    site: Site, visitor: Visitor, given: Any
) -> None:
    # As a list it went on as it was, and Carillon refused the whole event.
    await visitor.go(site.page("/", layer=[{"pageType": "detail", "currency": given}]))
    await site.until("pageview")
    assert reported(site) == [("pageview", {"pageType": "detail", "currency": "EUR"})]


@pytest.mark.parametrize("empty", [[], {}, {"id": None, "revenue": 0}, {"id": "", "tax": ""}, ""])
async def test_empty_transaction_is_none(site: Site, visitor: Visitor, empty: Any) -> None:
    """Templates write one on every page: it made each basket a thank-you page's, and so none."""
    basket = {"1": {"quantity": 1, "price": 2}}
    layer = [{"pageType": "basket", "basketItems": basket, "transaction": empty}]
    await visitor.go(site.page("/", layer=layer))
    await site.until("pageview")
    items = [{"itemID": "1", "quantity": 1, "price": 2}]
    assert reported(site) == [("pageview", {"pageType": "basket", "basketItems": items})]
