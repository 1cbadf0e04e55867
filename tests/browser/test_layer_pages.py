"""Data layers with each word of docs/persoo.md, from the page to the stored events."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_service.collect.event_schemas import EVENT_MODELS
from tests.browser.site import Site
from tests.browser.visitor import Visitor


def stored(site: Site, nth: int = 0) -> dict[str, Any]:
    """Return the event as ingest accepts it; fail where it is refused."""
    data = site.of("pageview")[nth]["data"]
    return (
        EVENT_MODELS["pageview"].model_validate(data).model_dump(by_alias=True, exclude_none=True)
    )


CATEGORY = {
    "pageType": "category", "categoryID": 12, "category": "Bells", "hierarchy": "Sound:Bells",
    "hierarchyID": "7:12", "impressedProducts": "['1','2']",
}  # fmt: skip
SEARCH = {
    "pageType": "search", "query": "bell", "results": "1 234", "impressedProducts": [1, "'2'"],
    "hierarchy": ["Sound, all", "Bells: big"], "hierarchyID": [7, "12"],
}  # fmt: skip


async def test_pages_state_what_they_show(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", layer=[CATEGORY]))
    await site.until("pageview")
    assert stored(site) == {
        "pageType": "category", "categoryID": "12", "category": "Bells",
        "hierarchy": ["Sound", "Bells"], "hierarchyID": ["7", "12"], "impressedProducts": ["1", "2"],
    }  # fmt: skip
    await visitor.page.evaluate("(page) => { dataLayer.push(page) }", SEARCH)
    await site.until("pageview", "pageview")
    assert stored(site, 1) == {
        "pageType": "search", "query": "bell", "results": 1234, "impressedProducts": ["1", "2"],
        "hierarchy": ["Sound, all", "Bells: big"], "hierarchyID": ["7", "12"],
    }  # fmt: skip


async def test_a_basket_that_changes_shows_nothing_again(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", layer=[CATEGORY]))
    await site.until("pageview")
    await visitor.page.evaluate("dataLayer.push({basketItems: {1: {}}, results: 5, category: 'x'})")
    await site.until("pageview", "pageview")
    assert stored(site, 1) == {
        "pageType": "category",
        "basketItems": [{"item": "1", "quantity": 1}],
    }


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ("{hierarchy: {a: 1}, hierarchyID: [null, {}, []], impressedProducts: true}", {}),
        ("{category: {}, results: 'many', impressedProducts: [Symbol(), () => 1]}", {}),
        ("{results: ['a', 'b', 'c'], category: ['A', 'B']}", {"results": 3, "category": "A"}),
        ("{get hierarchy() { throw 1 }, hierarchyID: 7, impressedProducts: '[]'}",
         {"hierarchyID": ["7"]}),
        ("{impressedProducts: Array.from({length: 1e5}, (_, n) => n)}",
         {"impressedProducts": [str(n) for n in range(50)]}),
        ("{impressedProducts: '[' + '1234567,'.repeat(1e5) + ']'}",
         {"impressedProducts": ["1234567"] * 50}),
        ("{category: 'c'.repeat(1e6), hierarchy: 'h'.repeat(1e6)}", {"category": "c" * 128}),
    ],
)  # fmt: skip
async def test_odd_shapes_cost_the_page_nothing(
    site: Site, visitor: Visitor, odd: str, kept: dict[str, Any]
) -> None:
    await visitor.go(site.page("/"))
    await site.until("pageview")
    await visitor.page.evaluate(
        f"const odd = {odd}; odd.pageType = 'category'; dataLayer.push(odd)"
    )
    await site.until("pageview", "pageview")
    assert stored(site, 1) == {"pageType": "category", **kept}
