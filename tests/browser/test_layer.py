"""The data layer of docs/persoo.md, and pages with Persoo's loader."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.site import KEY, STUB, Site
from tests.browser.visitor import Visitor

# As the WooCommerce plugin writes it: quoted ids, numbers as strings, a string for a list.
PLUGIN = {
    "currency": "CZK",
    "impressedProducts": "['1','2']",
    "pageType": "detail",
    "itemID": 123,
    "categoryID": 7,
    "hierarchy": ["7"],
    "basketItems": {"'123'": {"quantity": 2, "price": "1 249,50"}, "'9'": {"price": "?"}},
    "basketTotal": "1,234.50",
}
BASKET = [{"itemID": "'123'", "quantity": 2, "price": 1249.5}, {"itemID": "'9'"}]


def reported(site: Site) -> list[tuple[str, Any]]:
    return [(event["type"], event["data"]) for event in site.events]


async def test_page_of_the_plugin_is_understood(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", layer=[PLUGIN]))
    [view] = await site.until("pageview")
    assert view["data"] == {
        "pageType": "detail",
        "itemID": "123",
        "categoryID": "7",
        "hierarchy": ["7"],
        "impressedProducts": "['1','2']",
        "basketItems": BASKET,
        "basketTotal": 1234.5,
        "currency": "CZK",
    }


async def test_known_visitor_is_identified_once(site: Site, visitor: Visitor) -> None:
    known = {"pageType": "other", "userId": 5, "login": "anna", "email": "Anna@example.test"}
    await visitor.go(site.page("/", layer=[known]))
    await site.until("identify", "pageview")
    assert reported(site) == [
        ("identify", {"login": "anna", "email": "Anna@example.test"}),
        ("pageview", {"pageType": "other"}),  # and nothing personal in it
    ]
    await visitor.answered()
    await visitor.page.reload()
    await site.until("pageview", "pageview")
    assert site.types() == ["identify", "pageview", "pageview"]
    stored = str(await visitor.stored())
    assert "anna" not in stored.lower()


async def test_proof_of_the_login_goes_with_it(site: Site, visitor: Visitor) -> None:
    await visitor.go(site.page("/", layer=[{"login": "anna", "loginHash": "ab12"}]))
    await site.until("identify")
    assert reported(site)[0] == ("identify", {"login": "anna", "loginHash": "ab12"})


async def test_purchase_is_reported_once_however_often_its_page_is_loaded(
    site: Site, visitor: Visitor
) -> None:
    bought = {
        "pageType": "basket",
        "currency": "EUR",
        "email": "guest@example.test",
        "basketItems": {"'1'": {"quantity": 1, "price": 10}},
        "basketTotal": 10,
        "transaction": {"id": 77, "revenue": "14.90", "shipping": 4.9, "tax": "2.59"},
    }
    await visitor.go(site.page("/", layer=[bought]))
    await site.until("identify", "pageview", "purchase")
    await visitor.answered()
    await visitor.page.reload()
    await site.until("pageview", "pageview")
    assert reported(site) == [
        ("identify", {"email": "guest@example.test"}),
        # what was bought is no basket any more
        ("pageview", {"pageType": "basket", "currency": "EUR"}),
        (
            "purchase",
            {
                "id": "77",
                "items": [{"itemID": "'1'", "quantity": 1, "price": 10}],
                "revenue": 14.9,
                "shipping": 4.9,
                "tax": 2.59,
                "currency": "EUR",
            },
        ),
        ("pageview", {"pageType": "basket", "currency": "EUR"}),
    ]


async def test_pushes_are_read_as_they_come(site: Site, visitor: Visitor) -> None:
    await visitor.go(
        site.page("/", layer=[{"pageType": "detail", "itemID": "1", "currency": "EUR"}])
    )
    await site.until("pageview")
    await visitor.page.evaluate("""
        dataLayer.push({basketItems: {1: {quantity: 1, price: 5}}});
        dataLayer.push({event: 'gtm.click'}, {pageType: 'category', categoryID: 'c'});
        (function () { dataLayer.push(arguments) })('event', {pageType: 'no'});
        dataLayer.push(null);
        dataLayer.push({login: 'anna'});
    """)
    await site.until("pageview", "pageview", "pageview", "identify")
    assert reported(site)[1:] == [
        (
            "pageview",
            {
                "pageType": "detail",
                "basketItems": [{"itemID": "1", "quantity": 1, "price": 5}],
                "currency": "EUR",
            },
        ),
        ("pageview", {"pageType": "category", "categoryID": "c", "currency": "EUR"}),
        ("identify", {"login": "anna"}),
    ]
    assert await visitor.page.evaluate("dataLayer.length") == 7  # whoever else reads it has all


async def test_layer_further_down_the_page_is_waited_for(site: Site, visitor: Visitor) -> None:
    url = site.page("/")
    html, headers = site.pages["/"]
    late = "<script>var dataLayer = [{pageType: 'search', query: 'bell'}]</script></body>"
    site.pages["/"] = (html.replace("</body>", late), headers)
    await visitor.go(url)
    [view] = await site.until("pageview")
    assert view["data"] == {"pageType": "search", "query": "bell"}


async def test_layer_may_have_another_name(site: Site, visitor: Visitor) -> None:
    script = (
        "<script>shopLayer = [{pageType: 'homepage'}]</script>"
        f'<script async data-layer="shopLayer" src="{site.ingest}/v1/snippet.js?key={KEY}"></script>'
    )
    await visitor.go(site.bare("/", script))
    [view] = await site.until("pageview")
    assert view["data"] == {"pageType": "homepage"}


# Persoo's loader keeps to this contract (docs/persoo.md); a page changes `scriptsHostname` only.
LOADER = """
var %(settings)s = {
  apikey: '%(key)s', persooName: '%(name)s', dataLayerName: '%(layer)s',
  settings_tolerance: 60000, scriptsHostname: '%(host)s/',
};
window['%(layer)s'] = [{pageType: 'detail', itemID: "'55'"}];
window.persooLoader = (function (settings) {
  var isDone = false;
  return {
    finish: function () { isDone = true; document.documentElement.style.opacity = ''; },
    isDone: function () { return isDone; },
    load: function (url) {
      var script = document.createElement('script');
      script.onerror = function () { persooLoader.finish(); };
      script.src = url;
      document.head.appendChild(script);
    },
    init: function () {
      var name = settings.persooName;
      window[name] = window[name] || function () {
        (window[name].q = window[name].q || []).push([].slice.call(arguments));
      };
      window[name].l = 1 * new Date();
      window[name].apikey = settings.apikey;
      window[name].dataLayerName = settings.dataLayerName;
      document.documentElement.style.opacity = 0;
      var found = location.search.match('[?&]persooEnvironment=([^&]*)');
      var base = settings.scriptsHostname + settings.apikey + '/' + (found ? found[1] : 'p');
      this.load(base + '/actions.js');
      this.load(base + '/persoo.js');
    },
  };
})(%(settings)s);
persooLoader.init();
"""


@pytest.mark.parametrize(
    ("name", "layer", "settings", "query"),
    [
        ("persoo", "dataLayer", "persooConfig", ""),
        ("engage", "shopLayer", "persooConfig", "?persooEnvironment=t"),
        ("engage", "shopLayer", "ownSettings", ""),  # then the stub tells the name
    ],
)
async def test_persoos_loader_works_with_another_host(
    site: Site, visitor: Visitor, name: str, layer: str, settings: str, query: str
) -> None:
    relative = site.ingest.removeprefix("http:")  # protocol-relative, as Persoo's own
    loader = LOADER % {
        "settings": settings, "key": KEY, "name": name, "layer": layer, "host": relative,
    }  # fmt: skip
    calls = (
        f"{name}('onError', function (e) {{ window.failed = e; }});"
        f"{name}('send', 'addToBasket', {{itemID: 55, pageType: 'detail'}}, function (r)"
        " { window.result = r; });"
        f"{name}('send', {{pageType: 'other'}});"
    )
    site.bare("/", f"<script>{loader}</script><script>{calls}</script>")
    await visitor.go(f"{site.origin}/{query}")
    await site.until("pageview", "addToBasket", "pageview")
    assert reported(site) == [
        ("pageview", {"pageType": "detail", "itemID": "'55'"}),
        ("addToBasket", {"itemID": 55, "pageType": "detail"}),
        ("pageview", {"pageType": "other"}),
    ]
    await visitor.page.wait_for_function("window.result && result.ok && persooLoader.isDone()")
    assert not await visitor.page.evaluate("window.failed")
    found = await visitor.page.evaluate(f"{name}('profile')")
    assert found["visitorId"] == site.events[0]["visitorId"]


async def test_persoos_loader_beside_the_snippet(site: Site, visitor: Visitor) -> None:
    # The stub's name is found by its key: the snippet's own function, with the same key, is no
    # stub.
    loader = LOADER % {
        "settings": "ownSettings", "key": KEY, "name": "persoo", "layer": "dataLayer",
        "host": site.ingest,
    }  # fmt: skip
    snippet = f'<script src="{site.ingest}/v1/snippet.js?key={KEY}"></script>'
    calls = "persoo('send', 'first', {}); carillon('send', 'second')"
    html = f"<script>{STUB}</script>{snippet}<script>{loader};{calls}</script>"
    await visitor.go(site.bare("/", html))
    await site.until("pageview", "first", "second")
    assert await visitor.page.evaluate("persoo === carillon")


async def test_persoos_loader_with_an_unknown_key_shows_the_page(
    site: Site, visitor: Visitor
) -> None:
    loader = LOADER % {
        "settings": "persooConfig", "key": "wk_other", "name": "persoo", "layer": "dataLayer",
        "host": site.ingest,
    }  # fmt: skip
    await visitor.go(site.bare("/", f"<script>{loader}</script>"))
    await visitor.page.wait_for_function("persooLoader.isDone()")
    assert site.events == []
