"""The projections' promises, kept by the double and by MongoDB under both drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, cast

import pytest

from ingest_service.projector.store import (
    ConcurrentWrite,
    ErasedMerges,
    MongoProjections,
    Projections,
)
from ingest_service.projector.visitor import Epoch, Visitor
from shared.documents.merge import Merge, Tombstone
from shared.documents.visitor import Contribution, ViewedEntry
from shared.mongo.client import ensure_indexes, open_database
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.support.documents import build_merge, build_profile
from tests.support.projector_doubles import (
    APP,
    START,
    MemoryProjections,
    ProjectorHarness,
    event,
    one_signal,
)

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


async def visitors_in(store: Projections, names: list[str]) -> dict[str, Any]:
    found, left = await store.visitors_within(names, 2**30)
    assert not left
    return found


async def profiles_in(store: Projections, names: list[str]) -> dict[str, Any]:
    found, left = await store.profiles_within(names, 2**30)
    assert not left
    return found


def visitor(name: str, *people: str) -> Visitor:
    return Visitor(name, APP, f"v-{name}", persons=list(people), seen_events=b"\x00\x01")


async def test_new_documents_are_found_again(store: Projections) -> None:
    await store.save_visitors([visitor("a", "eva"), visitor("b", "adam", "eva")])
    found = await visitors_in(store, ["a", "b", "c"])
    assert found["a"] == replace(visitor("a", "eva"), rev=1)
    assert sorted(found) == ["a", "b"]
    assert sorted(await store.heads_of(["eva"])) == ["a", "b"]
    assert sorted(await store.heads_of(["adam", "nobody"])) == ["b"]


async def test_hundreds_are_read_and_written(store: Projections) -> None:
    names = [f"v{number}" for number in range(250)]
    await store.save_visitors([visitor(name, f"p-{name}") for name in names])
    assert len(await visitors_in(store, names)) == 250
    assert len(await store.heads_of([f"p-{name}" for name in names])) == 250


async def test_a_write_counts_only_once(store: Projections) -> None:
    await store.save_visitors([visitor("a", "eva")])
    first, second = [(await visitors_in(store, ["a"]))["a"] for _ in range(2)]
    await store.save_visitors([replace(first, persons=["adam"])])
    with pytest.raises(ConcurrentWrite):
        await store.save_visitors([replace(second, persons=["nobody"])])
    with pytest.raises(ConcurrentWrite):
        await store.save_visitors([visitor("a", "nobody")])
    assert (await visitors_in(store, ["a"]))["a"].persons == ["adam"]


async def test_emptied_profiles_are_removed_unless_written_meanwhile(store: Projections) -> None:
    await store.save_profiles([build_profile(name, rev=0) for name in ("eva", "adam")], [])
    kept = await profiles_in(store, ["eva", "adam"])
    await store.save_profiles([], [kept["eva"]])
    assert sorted(await profiles_in(store, ["eva", "adam"])) == ["adam"]
    with pytest.raises(ConcurrentWrite):
        await store.save_profiles([], [build_profile("adam", rev=7)])
    assert sorted(await profiles_in(store, ["adam"])) == ["adam"]


async def test_merges_are_written_once(store: Projections) -> None:
    for person in ("eva", "adam"):
        await store.save_merges([build_merge("m", person, START)])
    await store.save_merges([])


async def test_merges_end_with_their_person_and_until_then(store: Projections) -> None:
    def merge(name: str, day: int, person: str = "eva", app: str = APP) -> Merge:
        return build_merge(name, person, START + timedelta(days=day), app)

    kept = [merge("later", 3), merge("his", 1, "adam"), merge("elsewhere", 1, app="other")]
    await store.save_merges([merge("early", 1), merge("last", 2), merge("named", 9), *kept])
    ended = ErasedMerges(APP, "eva", START + timedelta(days=2))
    await store.save_merges([merge("at once", 2)], erased_persons=["named"], erased_merges=[ended])
    again = [merge(name, 9) for name in ("early", "last", "named", "at once", "later")]
    await store.save_merges(again)
    assert await merge_times(store) == {
        "early": 9, "last": 9, "named": 9, "at once": 9, "later": 3, "his": 1, "elsewhere": 1,
    }  # fmt: skip


async def merge_times(store: Projections) -> dict[str, int]:
    """Name → day: a merge is written once, so who was there before has kept its day."""
    if isinstance(store, MemoryProjections):
        found = list(store.kept["merges"].values())
    else:
        found = [d async for d in cast(MongoProjections, store)._database["merges"].find({})]
    return {d["_id"]: (d["at"] - START).days for d in found}


async def test_owners_are_read_one_after_another(store: Projections) -> None:
    view: ViewedEntry = {"item": "x" * 100, "category": None, "at": START, "event": "e"}
    part: Contribution = {"firstSeenAt": START, "lastSeenAt": START, "viewed": [view]}
    epochs = [Epoch("0", "eva", None, None, part)]
    for name in ("a", "b", "c"):
        whose = ["adam"] if name == "c" else ["eva"]
        await store.save_visitors([replace(visitor(name, *whose), epochs=epochs)])
    found = [head async for head in store.browsers_of_person("eva")]
    assert sorted(str(head.visitor_id) for head in found) == ["v-a", "v-b"]
    assert all("viewed" not in epoch.contribution for head in found for epoch in head.epochs)
    owners = [
        (e.login, e.anonymous_id, e.contribution["firstSeenAt"]) for h in found for e in h.epochs
    ]
    assert owners == [("eva", None, START)] * 2


async def test_tombstones_keep_their_last_time(store: Projections) -> None:
    early, late = (
        Tombstone(_id="eva", app=APP, at=START + timedelta(days=n), loginHash=None) for n in (1, 2)
    )
    await store.save_tombstones([early, late])
    await store.save_tombstones([early])
    assert await store.tombstones(["eva", "adam"]) == {"eva": late}
    assert await store.tombstones([]) == {}


async def test_nothing_is_nothing(store: Projections) -> None:
    assert await store.players([]) == {}
    assert await store.players_of(APP, []) == {}
    await store.save_players([])


async def test_a_history_ends_as_it_does_in_memory(store: Projections) -> None:
    epochs = [
        [one_signal("a", 1, P), event("pageview", "a", 2, itemID="shoe")],
        [event("identify", "a", 3, login="eva"), one_signal("b", 4, P, "optedOut")],
        [event("logout", "a", 5), event("identify", "b", 6, login="eva")],
    ]
    here, memory = ProjectorHarness(cast(MemoryProjections, store)), ProjectorHarness()
    for batch in [*epochs, *epochs]:
        await here.apply(*batch)
        await memory.apply(*batch)
    people = list(memory.profiles())
    stored = await profiles_in(store, people)
    bare = {
        name: {k: v for k, v in profile.items() if k not in ("rev", "changedAt")}
        for name, profile in stored.items()
    }
    assert bare == memory.profiles()
    (player,) = (await store.players_of(APP, people)).values()
    assert (player.claim.visitor, player.state) == ("b", "unsubscribed")
    assert player.claim.status.at > START
