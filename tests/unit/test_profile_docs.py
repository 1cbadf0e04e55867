"""docs/templates.md: the profile that its examples read has the keys of a real one, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson

from sender_service.planner.rendering import _visible
from shared.documents.profile import Profile
from tests.support.projector_doubles import ProjectorHarness, event, one_signal

DOC = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
PLAYER = "11111111-1111-4111-8111-111111111111"
LINES = [{"item": "1", "quantity": 2, "price": 6.25}]
PLACE = {"language": "en", "timeZone": "Asia/Tokyo"}


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from _paths(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")


async def test_n18_the_profile_of_the_examples_is_a_real_ones() -> None:
    history = ProjectorHarness()
    order = {"id": "o-7", "items": LINES, "revenue": 30, "currency": "EUR"}
    page = {"itemID": "1", "categoryID": "tea", "basketItems": LINES, "currency": "EUR"}
    seen = event("pageview", "v", 3, **page).model_copy(update={"context": PLACE})
    await history.apply(one_signal("v", 1, PLAYER), event("purchase", "v", 2, **order), seen)
    (profile,) = history.profiles().values()
    documented = orjson.loads(re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)[1])
    assert set(_paths(documented)) == set(_paths(_visible(cast(Profile, profile))))
