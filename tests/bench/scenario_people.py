"""People and scenarios of the benchmarks of scenarios, stored as the projector and the API leave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.documents.profile import Profile
from tests.support.documents import build_profile

LINE: dict[str, Any] = {"item": "kettle", "quantity": 1, "price": 20.0}


def name_of(number: int) -> str:
    """Return a person's id, as long as real ones."""
    return f"{number:032x}"


def basket_profile(number: int, app: str, at: datetime, players: Sequence[str] = ()) -> Profile:
    """Return the profile of a person who left a basket."""
    basket = {"items": [LINE], "total": 20.0, "currency": "EUR", "at": at, "since": at}
    return build_profile(
        name_of(number), app, visitors=[f"crowd{number}"], basket=basket, lastSeenAt=at, proven=True,
        timeZone="Europe/Prague", language="cs", browser="Chrome",
        players=[{"id": player, "proven": True} for player in players],
    )  # fmt: skip
