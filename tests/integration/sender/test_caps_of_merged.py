"""Caps over a merge: pushes go over to the survivor once, whatever comes between."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sender_service.store.contact_pushes import MAX_PUSHES, PlannedPush
from sender_service.store.contacts import ContactStore
from shared.models.app import Cap
from shared.mongo.client import Database
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world
from tests.support.documents import build_merge

ONE, TWO = Cap(count=1, days=1), Cap(count=2, days=1)
MERGED = {"ann": ["visitor"]}


async def _noted(world: SenderHarness, person: str) -> list[str]:
    found = await world.database["contacts"].find_one({"_id": f"{APP}:{person}"})
    return [] if found is None else [entry["send"] for entry in found["pushes"]]


async def _reserve(
    world: SenderHarness, people: Any, send: str, cap: Cap = TWO, store: ContactStore | None = None
) -> bool:
    """Reserve a push of the send for the one person; return whether the person may get it."""
    store = store or world.contacts
    return not await store.reserve(APP, people, PlannedPush(send, [cap], world.clock()))


async def _merge(world: SenderHarness) -> None:
    merge = build_merge("visitor", "ann", world.clock(), APP)
    await world.database["merges"].insert_one(dict(merge))


async def test_pushes_go_over_with_the_first_reservation_and_once(settings: Settings) -> None:
    async with open_world(settings) as world:
        assert await _reserve(world, {"visitor": ()}, "a")
        await _merge(world)
        for _ in range(3):
            assert await _reserve(world, MERGED, "b")
            assert not await _reserve(world, MERGED, "c")
            assert await _noted(world, "ann") == ["a", "b"]
        assert await _noted(world, "visitor") == ["a"]
        # Also when the profile doesn't list her any more: undone, or one of too many.
        assert not await _reserve(world, {"ann": ()}, "d")


async def test_pushes_go_over_also_where_the_cap_is_reached(settings: Settings) -> None:
    async with open_world(settings) as world:
        await _reserve(world, {"visitor": ()}, "a", ONE)
        assert not await _reserve(world, MERGED, "b", ONE)
        assert await _noted(world, "ann") == ["a"]
        assert not await _reserve(world, {"ann": ()}, "b", ONE)
        world.clock.advance(timedelta(days=1, seconds=1).total_seconds())
        assert await _reserve(world, {"ann": ()}, "b", ONE)


async def test_what_is_given_back_is_given_back_to_both(settings: Settings) -> None:
    async with open_world(settings) as world:
        await _reserve(world, {"visitor": ()}, "a")
        await _reserve(world, {"visitor": ()}, "b")
        await _merge(world)
        assert not await _reserve(world, MERGED, "c")
        for _ in range(2):
            await world.contacts.release(APP, ["visitor"], "a")
        assert await _noted(world, "visitor") == await _noted(world, "ann") == ["b"]
        assert await _reserve(world, MERGED, "c")
        # What was noted for herself stays hers: both had the send, only one of them got it.
        await world.contacts.release(APP, ["visitor"], "c")
        assert await _noted(world, "ann") == ["b", "c"]


async def test_send_of_both_is_noted_for_the_survivor_herself(settings: Settings) -> None:
    async with open_world(settings) as world:
        await _reserve(world, {"visitor": ()}, "a")
        await _merge(world)
        assert await _reserve(world, MERGED, "b")  # "a" is copied
        assert await _reserve(world, MERGED, "a")
        await world.contacts.release(APP, ["visitor"], "a")
        assert sorted(await _noted(world, "ann")) == ["a", "b"]


class _Interrupted(ContactStore):
    """Store that does something else between its reading and its writing, once."""

    def __init__(self, database: Database, between: Callable[[], Any]) -> None:
        super().__init__(database)
        self._between: Callable[[], Any] | None = between

    async def _read(self, app: str, people: Any) -> Any:
        found = await super()._read(app, people)
        between, self._between = self._between, None
        if between is not None:
            await between()
        return found


@pytest.mark.parametrize("known", [True, False])
async def test_what_is_given_back_meanwhile_is_not_copied(settings: Settings, known: bool) -> None:
    async with open_world(settings) as world:
        if known:
            await _reserve(world, {"ann": ()}, "z")
        await _reserve(world, {"visitor": ()}, "a")
        await _merge(world)

        async def give_back() -> None:
            await world.contacts.release(APP, ["visitor"], "a")

        slow = _Interrupted(world.database, give_back)
        assert await _reserve(world, MERGED, "b", store=slow)
        assert await _noted(world, "ann") == (["z", "b"] if known else ["b"])


class _Stopped(Exception):
    """Process ended here."""


async def test_giving_back_may_stop_half_way(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(settings) as world:
        await _reserve(world, {"visitor": ()}, "a", ONE)
        await _merge(world)
        assert not await _reserve(world, MERGED, "b", ONE)

        async def stop(*_: Any) -> None:
            raise _Stopped

        with monkeypatch.context() as patch, pytest.raises(_Stopped):
            patch.setattr("sender_service.store.contacts.read_merges", stop)
            await world.contacts.release(APP, ["visitor"], "a")
        assert not await _reserve(world, MERGED, "b", ONE)  # one too few, until it is repeated
        await world.contacts.release(APP, ["visitor"], "a")
        assert await _reserve(world, MERGED, "b", ONE)


async def test_both_lists_stay_bounded(settings: Settings) -> None:
    cap = Cap(count=30, days=20)
    async with open_world(settings) as world:
        for n in range(MAX_PUSHES):
            world.clock.advance(timedelta(days=1).total_seconds())
            assert await _reserve(world, {"visitor": ()}, f"v{n:02}", cap)
            assert await _reserve(world, {"ann": ()}, f"a{n:02}", cap)
        for n in range(3):
            assert not await _reserve(world, MERGED, f"m{n}", cap)
        noted = await _noted(world, "ann")
        assert len(noted) == MAX_PUSHES == len(await _noted(world, "visitor"))
        assert noted[-2:] == ["a63", "v63"] and "v32" in noted
        world.clock.advance(timedelta(days=90).total_seconds())
        assert await _reserve(world, MERGED, "late", cap)
        assert len(await _noted(world, "ann")) == MAX_PUSHES


@pytest.mark.parametrize("seed", range(10))
async def test_any_order_of_reservations_and_give_backs_counts_alike(
    settings: Settings, seed: int
) -> None:
    """Count a push for the survivor as long as it stands, once, whoever it was noted for."""
    draw, cap = random.Random(seed), Cap(count=3, days=1)
    async with open_world(settings) as world:
        hers: set[str] = set()
        visitors: set[str] = set()
        for step in range(40):
            if step == 8:
                await _merge(world)
            send = f"s{draw.randrange(12)}"
            is_visitor = draw.random() < (0.5 if step < 8 else 0.1)
            noted, person = (visitors, "visitor") if is_visitor else (hers, "ann")
            if draw.random() < 0.35:
                await world.contacts.release(APP, [person], send)
                noted.discard(send)
                continue
            people = {person: ["visitor"] if person == "ann" and step >= 8 else []}
            counted = (noted if step < 8 or is_visitor else hers | visitors) - {send}
            may = send in noted or len(counted) < cap.count
            assert await _reserve(world, people, send, cap) is may, (step, send, person)
            if may:
                noted.add(send)
