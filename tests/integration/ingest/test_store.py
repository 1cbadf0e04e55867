"""The projections' promises, kept by the double and by MongoDB under both drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal, cast

import pytest

from ingest_service.projector.store import MongoProjections, Projections, Raced
from shared.collections import INGEST
from shared.mongo import ensure_indexes, open_database
from shared.settings import Settings
from tests.unit.ingest.doubles import APP, START, History, MemoryProjections, event, one_signal

P = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Projections]:
    if request.param == "memory":
        yield MemoryProjections()
        return
    settings: Settings = request.getfixturevalue("settings")
    driver = cast(Literal["motor", "pymongo"], request.param)
    mongo = settings.mongo.model_copy(update={"driver": driver})
    async with open_database(mongo, "test") as database:
        await ensure_indexes(database, INGEST)
        yield MongoProjections(database)


def visitor(name: str, *people: str) -> dict[str, Any]:
    return {"_id": name, "rev": 0, "people": list(people), "seen": b"\x00\x01"}


async def test_new_documents_are_found_again(store: Projections) -> None:
    await store.save_visitors([visitor("a", "eva"), visitor("b", "adam", "eva")])
    found = await store.visitors(["a", "b", "c"])
    assert found["a"] == {**visitor("a", "eva"), "rev": 1}
    assert sorted(found) == ["a", "b"]
    assert sorted(await store.visitors_of(["eva"])) == ["a", "b"]
    assert sorted(await store.visitors_of(["adam", "nobody"])) == ["b"]


async def test_hundreds_are_read_and_written(store: Projections) -> None:
    names = [f"v{number}" for number in range(250)]
    await store.save_visitors([visitor(name, f"p-{name}") for name in names])
    assert len(await store.visitors(names)) == 250
    assert len(await store.visitors_of([f"p-{name}" for name in names])) == 250


async def test_a_write_counts_only_once(store: Projections) -> None:
    await store.save_visitors([visitor("a", "eva")])
    first, second = [(await store.visitors(["a"]))["a"] for _ in range(2)]
    await store.save_visitors([{**first, "people": ["adam"]}])
    with pytest.raises(Raced):
        await store.save_visitors([{**second, "people": ["nobody"]}])
    with pytest.raises(Raced):
        await store.save_visitors([visitor("a", "nobody")])
    assert (await store.visitors(["a"]))["a"]["people"] == ["adam"]


async def test_emptied_profiles_are_removed_unless_written_meanwhile(store: Projections) -> None:
    await store.save_profiles([{"_id": "eva", "rev": 0}, {"_id": "adam", "rev": 0}], [])
    kept = await store.profiles(["eva", "adam"])
    await store.save_profiles([], [kept["eva"]])
    assert sorted(await store.profiles(["eva", "adam"])) == ["adam"]
    with pytest.raises(Raced):
        await store.save_profiles([], [{**kept["adam"], "rev": 7}])
    assert sorted(await store.profiles(["adam"])) == ["adam"]


async def test_merges_are_written_once(store: Projections) -> None:
    for person in ("eva", "adam"):
        await store.save_merges([{"_id": "m", "app": APP, "person": person}])
    await store.save_merges([])


async def test_tombstones_keep_their_last_time(store: Projections) -> None:
    early, late = ({"_id": "eva", "app": APP, "at": START + timedelta(days=n)} for n in (1, 2))
    await store.bury([early, late])
    await store.bury([early])
    assert await store.buried(["eva", "adam"]) == {"eva": late}
    assert await store.buried([]) == {}


async def test_nothing_is_nothing(store: Projections) -> None:
    assert await store.players([]) == {}
    assert await store.players_of(APP, []) == {}
    await store.save_players([])


async def test_a_history_ends_as_it_does_in_memory(store: Projections) -> None:
    told = [
        [one_signal("a", 1, P), event("pageview", "a", 2, itemID="shoe")],
        [event("identify", "a", 3, login="eva"), one_signal("b", 4, P, "optedOut")],
        [event("logout", "a", 5), event("identify", "b", 6, login="eva")],
    ]
    here, memory = History(cast(MemoryProjections, store)), History()
    for batch in [*told, *told]:
        await here.tell(*batch)
        await memory.tell(*batch)
    people = list(memory.profiles())
    stored = await store.profiles(people)
    bare = {
        name: {k: v for k, v in profile.items() if k not in ("rev", "changedAt")}
        for name, profile in stored.items()
    }
    assert bare == memory.profiles()
    (player,) = (await store.players_of(APP, people)).values()
    assert (player["visitor"], player["state"]) == ("b", "unsubscribed")
    assert player["status"]["at"] > START
