"""Demo's scenarios: all templates, off but the abandoned basket, which reminds after a minute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deploy.local.shop.catalogue import PRODUCTS

ABANDONED = "abandoned-basket"
REMINDER = "basket-1"  # the campaign of its first step
EXAMPLE_SHOP = "https://shop.example"  # in the links of templates

# Carillon knows items by their ids until it has the shop's catalogue. An item that was pushed lately
# isn't chosen again, and then the text names none.
_NAMES = json.dumps({product.id: product.name for product in PRODUCTS.values()})
_ITEM = "{{ " + _NAMES + "[item.id|default('')]|default('%s') }}"

_REMINDER = {
    "en": _ITEM % "What you chose" + " is still in your basket. Shall we keep it for you?",
    "de": _ITEM % "Ihre Auswahl" + " liegt noch im Warenkorb. Sollen wir es aufheben?",
    "cs": _ITEM % "To, co jste vybrali," + " je stále v košíku. Máme to schovat?",
}


def scenarios(templates: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the demo's scenarios by id, of the templates as the ops API lists them."""
    return {one["id"]: _scenario(one["id"], one["scenario"]) for one in templates}


def campaigns(templates: Iterable[Mapping[str, Any]], shop_url: str) -> dict[str, dict[str, Any]]:
    """Return the campaigns of the scenarios by id; their links lead to the shop."""
    return {
        one["id"]: _campaign(one["id"], one["body"], shop_url)
        for template in templates
        for one in template["campaigns"]
    }


def _scenario(id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if id != ABANDONED:
        return dict(body)
    first, *others = body["steps"]
    first = {**first, "after": {"minutes": 1, "of": "silence"}}
    # People try it with any basket, and more than once.
    more = {"enabled": True, "steps": [first, *others], "again": {"days": 0}}
    return {key: value for key, value in body.items() if key != "if"} | more


def _campaign(id: str, body: Mapping[str, Any], shop_url: str) -> dict[str, Any]:
    texts = {"contents": _REMINDER} if id == REMINDER else {}
    variants = [
        {**variant, **texts, "url": variant["url"].replace(EXAMPLE_SHOP, shop_url)}
        for variant in body["variants"]
    ]
    return {**body, "variants": variants}
