"""One login, any number of browsers: whoever knows it may bring them, and nobody else waits for that."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ingest_service.projector.profile import BOUNDS, ProfileLimits
from ingest_service.projector.projector import Projector
from shared.models.event import Event
from tests.support.ops_events import erasure, undoing
from tests.support.projector_doubles import APP, START, ProjectorHarness, event, one_signal

SMALL = ProfileLimits(browsers=3, players=3, read=1_000)


def _browser(number: int, *, proven: bool = True) -> list[Event]:
    name, player = f"v{number:05}", str(uuid.UUID(int=number))
    return [
        event("identify", name, 10 * number, login="eva", proven=proven),
        event("pageview", name, 10 * number + 1, itemID=f"item{number}"),
        one_signal(name, 10 * number + 2, player),
    ]


def _names(profile: dict[str, Any]) -> list[str]:
    return [*profile["visitors"], *profile["pastVisitors"]]


async def test_work_does_not_grow_with_the_number_of_browsers() -> None:
    history = ProjectorHarness()
    took = []
    for start in range(1, 601, 50):
        await history.apply(*(e for n in range(start, start + 50) for e in _browser(n)))
        history.store.read.clear()
        await history.apply(event("pageview", "v00001", 9_000 + start, itemID="hat"))
        took.append(history.store.read.total())
    # Each browser twice: its head, by which it is chosen, and what it contributes.
    assert max(took[2:]) <= 2 * BOUNDS.browsers + BOUNDS.players + 10
    profile = history.login("eva")
    assert len(_names(profile)) == BOUNDS.browsers
    assert len(profile["players"]) == BOUNDS.players
    assert "v00001" in _names(profile)  # heard of just now
    assert {"v00600", "v00599"} <= set(_names(profile))
    assert {"v00002", "v00400"}.isdisjoint(_names(profile))


async def test_a6_invented_browsers_cost_no_more_than_twenty_and_crowd_nobody_out() -> None:
    history = ProjectorHarness()
    await history.apply(*_browser(1))
    for start in range(2, 252, 50):
        await history.apply(
            *(e for n in range(start, start + 50) for e in _browser(n, proven=False))
        )
    history.store.read.clear()
    await history.apply(event("pageview", "v00001", 9_000, itemID="hat"))
    assert history.store.read.total() <= 3 * (BOUNDS.unproven + 1) + 10  # heads, wholes, players
    profile = history.login("eva")
    assert "v00001" in profile["visitors"]
    assert len(profile["unproven"]) == len(_names(profile)) - 1 == BOUNDS.unproven
    assert [p["id"] for p in profile["players"] if p["proven"]] == [str(uuid.UUID(int=1))]
    assert len(profile["players"]) == BOUNDS.unproven + 1


async def test_a6_browser_that_proves_the_login_leaves_its_place_to_another() -> None:
    there, back = (
        ProjectorHarness(bounds=ProfileLimits(browsers=9, players=9, unproven=2)) for _ in range(2)
    )
    numbers = [1, 2, 3, 4]
    proof = event("identify", "v00004", 500, login="eva", proven=True)
    for number in numbers:
        await there.apply(*_browser(number, proven=False))
    await there.apply(proof)
    await back.apply(*_browser(4, proven=False), proof)
    for number in reversed(numbers[:3]):
        await back.apply(*_browser(number, proven=False))
    assert there.profiles() == back.profiles()
    assert there.login("eva")["unproven"] == ["v00002", "v00003"]
    assert _names(there.login("eva")) == ["v00002", "v00003", "v00004"]


async def test_profile_is_of_those_seen_last_whichever_way_they_came() -> None:
    there, back = ProjectorHarness(bounds=SMALL), ProjectorHarness(bounds=SMALL)
    for number in range(1, 9):
        await there.apply(*_browser(number))
        await back.apply(*_browser(9 - number))
    assert there.profiles() == back.profiles()
    assert _names(there.login("eva")) == ["v00006", "v00007", "v00008"]
    assert len(there.login("eva")["players"]) == 3


async def test_who_was_left_out_comes_back_when_another_goes() -> None:
    history = ProjectorHarness(bounds=SMALL)
    for number in range(1, 6):
        await history.apply(*_browser(number))
    eva = history.people.of_login(APP, "eva")
    await history.apply(erasure("v00005", 100, eva))
    assert _names(history.login("eva")) == ["v00002", "v00003", "v00004"]
    await history.apply(event("identify", "v00004", 200, login="adam"))  # its player goes with it
    listed = {player["id"] for player in history.login("eva")["players"]}
    assert listed == {str(uuid.UUID(int=number)) for number in (1, 2, 3)}


async def test_erasure_of_a_crowd_is_published_in_pieces() -> None:
    # Of a login with any number of browsers: as they are read, never all of them together.
    pieces: list[list[str]] = []
    read_by_then: list[int] = []
    history = ProjectorHarness()

    async def publish(events: Sequence[Event]) -> None:
        pieces.append([str(e.visitor_id) for e in events])
        read_by_then.append(history.store.read["owners"])

    bounds = ProfileLimits(browsers=3, players=3, read=10)
    history.projector = Projector(history.store, history.people, lambda: START, publish, bounds)
    for number in range(1, 46):
        await history.apply(*_browser(number))
    eva = history.people.of_login(APP, "eva")
    history.store.read.clear()
    await history.apply(erasure("v00045", 10_000, eva, findOthers=True))
    *pieces, stand_in = pieces
    assert [len(piece) for piece in pieces] == [10, 10, 10, 10, 4]
    assert read_by_then[:4] == [10, 20, 30, 40]
    assert sorted(name for piece in pieces for name in piece) == [f"v{n:05}" for n in range(1, 45)]
    assert stand_in == [f"os:{uuid.UUID(int=45)}"]
    assert history.store.read["visitors"] < 45 + 3 * bounds.read  # whole ones: a bounded number


async def test_browser_that_an_undone_merge_makes_older_gives_its_place_up() -> None:
    # It stays the person's, but for what it was seen with last: others may come before it now.
    history = ProjectorHarness(bounds=SMALL)
    for number in (1, 2, 3):
        await history.apply(*_browser(number))
    await history.apply(event("pageview", "v00004", 100))
    await history.apply(
        event("identify", "v00004", 5, login="eva", proven=True)
    )  # its clock was set back
    assert _names(history.login("eva")) == ["v00002", "v00003", "v00004"]
    (merge,) = history.store.kept["merges"]
    await history.apply(undoing("v00004", 200, merge))
    assert _names(history.login("eva")) == ["v00001", "v00002", "v00003"]
