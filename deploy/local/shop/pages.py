"""Pages of the shop, each with its data layer (keys as in Persoo's)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from deploy.local.shop import catalogue
from deploy.local.shop.settings import ShopSettings
from deploy.local.shop.setup import LOADERS, SDKS, setup_of

HERE = Path(__file__).parent
NOT_FOUND = 404

_templates = Jinja2Templates(HERE / "templates")
_templates.env.globals.update(
    categories=catalogue.CATEGORIES,
    currency=catalogue.CURRENCY,
    loaders=LOADERS,
    sdks=SDKS,
    terms={
        "shipping": catalogue.SHIPPING,
        "freeFrom": catalogue.FREE_SHIPPING_FROM,
        "taxPercent": catalogue.TAX_PERCENT,
    },
)


def _render(
    request: Request, template: str, layer: dict[str, Any], status: int = 200, **context: Any
) -> Response:
    settings: ShopSettings = request.app.state.settings
    known = {
        "layer": {"currency": catalogue.CURRENCY, **layer},
        "setup": setup_of(request),
        "snippet_url": settings.snippet_url(),
        "here": request.url.path,
        "other_browser": _other_browser(request),
    }
    return _templates.TemplateResponse(request, template, {**known, **context}, status)


def _other_browser(request: Request) -> str:
    """Return the address of the same shop under its machine's other name."""
    # To a browser that is another site, with another visitor.
    url = request.url
    return str(url.replace(hostname="127.0.0.1" if url.hostname == "localhost" else "localhost"))


async def home(request: Request) -> Response:
    products = catalogue.PRODUCTS.values()
    return _render(request, "home.html", {"pageType": "homepage"}, products=products)


async def category(request: Request) -> Response:
    found = catalogue.CATEGORIES.get(request.path_params["id"])
    if found is None:
        raise HTTPException(NOT_FOUND)
    products = catalogue.products_of(found.id)
    layer = {
        "pageType": "category",
        "categoryID": found.id,
        "category": found.name,
        "hierarchy": [found.name],
        "hierarchyID": [found.id],
        "impressedProducts": [product.id for product in products],
    }
    return _render(request, "category.html", layer, category=found, products=products)


async def product(request: Request) -> Response:
    found = catalogue.PRODUCTS.get(request.path_params["id"])
    if found is None:
        raise HTTPException(NOT_FOUND)
    place = catalogue.CATEGORIES[found.category]
    layer = {
        "pageType": "detail",
        "itemID": found.id,
        "categoryID": place.id,
        "category": place.name,
        "hierarchy": [place.name],
        "hierarchyID": [place.id],
    }
    others = [other for other in catalogue.products_of(place.id) if other != found]
    return _render(request, "product.html", layer, product=found, category=place, others=others)


async def search(request: Request) -> Response:
    query = request.query_params.get("q", "").strip()
    words = query.lower().split()
    found = [
        product
        for product in catalogue.PRODUCTS.values()
        if words and all(word in f"{product.name} {product.line}".lower() for word in words)
    ]
    layer = {"pageType": "search", "query": query, "results": len(found)}
    return _render(request, "search.html", layer, query=query, products=found)


async def basket(request: Request) -> Response:
    return _render(request, "basket.html", {"pageType": "basket"})


async def checkout(request: Request) -> Response:
    return _render(request, "checkout.html", {"pageType": "other"})


async def thank_you(request: Request) -> Response:
    return _render(request, "thank-you.html", {"pageType": "other"})


async def login(request: Request) -> Response:
    return _render(request, "login.html", {"pageType": "other"})


async def missing(request: Request, _: Exception) -> Response:
    return _render(request, "missing.html", {"pageType": "error"}, status=NOT_FOUND)


ROUTES = [
    Route("/", home),
    Route("/category/{id}", category),
    Route("/product/{id}", product),
    Route("/search", search),
    Route("/basket", basket),
    Route("/checkout", checkout),
    Route("/thank-you", thank_you),
    Route("/login", login),
]
