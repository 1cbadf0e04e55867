"""Histories of browsers for hypothesis, the logs they may become, and their replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.profile import BOUNDS, ProfileLimits
from ingest_service.projector.store import ConcurrentWrite
from shared.errors import StoreUnavailable
from shared.models.event import Event
from tests.support.projector_doubles import (
    APP,
    START,
    MemoryProjections,
    ProjectorHarness,
    event,
    one_signal,
)

PLAYERS = [f"{n}0000000-0000-4000-8000-000000000000" for n in range(3)]
VISITORS = ["a", "b", "c"]
PEOPLE = PersonIds(b"key")
TIGHT = ProfileLimits(browsers=1, players=1)  # as if everybody had a hundred browsers more
RELAXED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Draw = Callable[[st.SearchStrategy[Any]], Any]


def history_event(visitor: str, number: int, what: tuple[str, Any]) -> Event:
    kind, value = what
    if kind == "oneSignal":
        player, status = value
        return one_signal(visitor, number, player, status)
    data = {
        "identify": {"login": value, "email": f"{value}@example.test"},
        "proven": {"login": value, "email": f"{value}{number}@example.test", "proven": True},
        "claimed": {"claimed": PEOPLE.of_login(APP, str(value)), "proven": False},
        "email": {"email": f"{visitor}{number}@example.test"},
        "pageview": {"itemID": value, "categoryID": "all"},
        "basket": {"basketItems": _lines(value)},
        "reopened": {"transaction": {"id": value, "revenue": 7.0}, "currency": "EUR"},
        "addToBasket": {"itemID": value, "quantity": 2, "price": 10},
        "removeFromBasket": {"itemID": value, "quantity": 1},
        "purchase": {"id": value, "items": [{"item": value, "quantity": 1, "price": 5}]},
        "logout": {},
    }[kind]
    kind = "identify" if kind in ("email", "proven", "claimed") else kind
    kind = "pageview" if kind in ("basket", "reopened") else kind
    return event(kind, visitor, number, **data)


def name_basket(visitor: str, number: int, **quantities: float) -> Event:
    """Return a page that names the whole basket."""
    return event("pageview", visitor, number, basketItems=_lines(quantities))


def at(number: int) -> datetime:
    """Return the time of an event with this number."""
    return START + timedelta(seconds=number)


def _lines(value: Any) -> list[dict[str, Any]]:
    quantities = value if isinstance(value, dict) else {}
    return [{"item": item, "quantity": quantity} for item, quantity in quantities.items()]


ITEMS = st.sampled_from(["shoe", "hat", "ring"])
HAPPENINGS = st.one_of(
    st.tuples(st.sampled_from(["identify", "proven", "claimed"]), st.sampled_from(["eva", "adam"])),
    st.tuples(st.just("oneSignal"), st.tuples(
        st.sampled_from(PLAYERS), st.sampled_from(["subscribed", "optedOut"]))),
    st.tuples(st.just("email"), st.none()),
    st.tuples(st.just("logout"), st.none()),
    st.tuples(st.sampled_from(
        ["pageview", "addToBasket", "removeFromBasket", "purchase", "reopened"]), ITEMS),
    st.tuples(st.just("basket"), st.sampled_from([{}, {"shoe": 2}, {"shoe": 2, "hat": 1}])),
)  # fmt: skip


@st.composite
def logs(draw: Draw, history: dict[str, list[Event]]) -> list[list[Event]]:
    """Draw a log of a history: interleaved, with events repeated later, cut into batches."""
    left = {visitor: list(events) for visitor, events in history.items() if events}
    log: list[Event] = []
    repeats = 12  # without an end there may be hundreds, which is more than an example may draw
    while left:
        if log and repeats and draw(st.integers(0, 4)) == 0:
            log.append(draw(st.sampled_from(log)))
            repeats -= 1
            continue
        visitor = draw(st.sampled_from(sorted(left)))
        log.append(left[visitor].pop(0))
        if not left[visitor]:
            del left[visitor]
    batches: list[list[Event]] = [[]]
    for one in log:
        if batches[-1] and draw(st.integers(0, 1)):
            batches.append([])
        batches[-1].append(one)
    return batches


def replay_batches(
    batches: list[list[Event]],
    store: MemoryProjections | None = None,
    bounds: ProfileLimits = BOUNDS,
) -> ProjectorHarness:
    history = ProjectorHarness(store, bounds)

    async def run() -> None:
        for batch in batches:
            while True:
                try:
                    await history.apply(*batch)
                    break
                except StoreUnavailable:
                    continue

    asyncio.run(run())
    return history


class BreakingProjections(MemoryProjections):
    """Projections that break at the given numbers of writes: before one, or after it."""

    def __init__(self, breaks: set[int]) -> None:
        super().__init__()
        self._breaks = breaks
        self._writes = 0

    def _save(self, name: str, documents: Any) -> None:
        self._writes += 1
        if self._writes in self._breaks:
            raise ConcurrentWrite("before the write")
        super()._save(name, documents)
        self._writes += 1
        if self._writes in self._breaks:
            raise ConcurrentWrite("after the write")
