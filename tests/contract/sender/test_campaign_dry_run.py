"""A campaign that is put is tried on the app's people: what would fail is named, with for how many."""

from __future__ import annotations

from typing import Any

from shared.mongo.collections import PROFILES
from tests.contract.sender.conftest import Api, a_campaign
from tests.support.documents import build_profile

PATH = "/v1/apps/demo/campaigns/welcome"


async def _people(shop: Api, count: int, without: int) -> None:
    await shop.sender.context.database[PROFILES.name].delete_many({})
    baskets = [{"total": 5} if n >= without else None for n in range(count)]
    profiles = [
        build_profile(f"t{n}", visitors=[f"t{n}"], language="en", basket=basket)
        for n, basket in enumerate(baskets)
    ]
    await shop.sender.context.database[PROFILES.name].insert_many([dict(p) for p in profiles])


def _with_text(text: str) -> dict[str, Any]:
    [variant] = a_campaign()["variants"]
    return a_campaign(variants=[{**variant, "contents": {"en": text}}])


async def test_n18_the_put_names_the_line_the_variable_and_how_many_would_fail(shop: Api) -> None:
    await _people(shop, 20, without=8)
    text = "Hello\n{{ profile.basket.total }}"
    body = await shop.ok("PUT", PATH, json=_with_text(text))
    [warning] = body["warnings"]
    assert warning["code"] == "bad_variables"
    assert warning["message"].startswith(
        "variants.0.contents.en, line 2: profile.basket is missing: 8 of 20"
    )
    assert "warnings" not in await shop.ok("GET", PATH)


async def test_n18_of_a_large_app_five_hundred_are_tried(shop: Api) -> None:
    await _people(shop, 900, without=900)
    body = await shop.ok("PUT", PATH, json=_with_text("{{ profile.basket.total }}"))
    assert "500 of 500" in body["warnings"][0]["message"]


async def test_n18_what_a_trigger_brings_is_tried_by_its_preview(shop: Api) -> None:
    await _people(shop, 20, without=20)
    text = "{{ name }} {{ profile.basket.total }}"
    assert "warnings" not in await shop.ok("PUT", PATH, json=_with_text(text))


async def test_a3_too_many_texts_are_refused_before_they_are_looked_at(shop: Api) -> None:
    variants = a_campaign()["variants"]
    many = [f"{{{{ v{n} }}}}" for n in range(1_001)]
    answer = await shop.call("PUT", PATH, json={**a_campaign(), "variants": [variants[0], *many]})
    assert answer.status_code == 422
    assert "1000 texts" in answer.json()["message"]
