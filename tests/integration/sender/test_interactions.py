"""Interactions are distinct, whatever comes twice, at once or in any order."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from sender_service.models.report import InteractionCounts
from sender_service.pages.page import Page
from sender_service.store.interactions import FirstTimes
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.builders import player_id
from tests.support.clocks import START
from tests.support.pages import build_page

AT = START + timedelta(minutes=1)


def _page() -> Page:
    members = [(player_id(n), f"p{n}", "0") for n in range(200)]
    return build_page(str(uuid.uuid4()), members)


async def test_each_player_and_kind_counts_once(pair: TwoReplicas) -> None:
    of = _page()
    seen: FirstTimes = {(0, "impression"): AT, (0, "click"): AT, (1, "impression"): AT}
    assert await pair.stores.interactions.add([(of, seen)]) == 3
    assert await pair.two.context.stores.interactions.add([(of, seen)]) == 0
    assert await pair.two.context.stores.interactions.add([(of, {(1, "click"): AT, **seen})]) == 1
    assert await pair.stores.interactions.counts(of.send) == InteractionCounts(2, 2, 0)


async def test_first_time_stays(pair: TwoReplicas) -> None:
    of = _page()
    for minutes in (0, 5):
        await pair.stores.interactions.add([(of, {(3, "click"): AT + timedelta(minutes=minutes)})])
    stored = await pair.database["interactions"].find_one({"_id": of.id})
    assert stored is not None and stored["times"]["click"]["3"] == AT


async def test_many_writers_lose_nothing(pair: TwoReplicas) -> None:
    of = _page()

    async def write(offset: int) -> int:
        store, new = pair.both[offset % 2].context.stores.interactions, 0
        for start in range(0, 200, 20):  # each overlaps with the others
            seen = {((start + offset * 7 + n) % 200, "impression"): AT for n in range(20)}
            new += await store.add([(of, seen)])
        return new

    await asyncio.gather(*(write(n) for n in range(6)))
    assert await pair.stores.interactions.counts(of.send) == InteractionCounts(200, 0, 0)


async def test_pages_of_a_send_add_up(pair: TwoReplicas) -> None:
    first = _page()
    second = build_page(first.send, [(player_id(1), "p1", "0")], number=1)
    seen: FirstTimes = {(0, "click"): AT}
    assert await pair.stores.interactions.add([(first, seen), (second, seen)]) == 2
    assert (await pair.stores.interactions.counts(first.send)).clicks == 2
    assert (await pair.stores.interactions.counts(str(uuid.uuid4()))).clicks == 0
