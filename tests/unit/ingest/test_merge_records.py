"""Records of merges: erased with whom they are of, and not with who came since."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from shared.documents.merge import Merge
from tests.support.ops_events import erasure, undoing
from tests.support.projector_doubles import (
    APP,
    MemoryProjections,
    ProjectorHarness,
    event,
    one_signal,
)

LATE = {"late": True}
PLAYER = "11111111-1111-4111-8111-111111111111"


async def merged(history: ProjectorHarness, visitor: str, number: int, login: str = "eva") -> str:
    """Merge a browser that first has no login; return the record's name."""
    await history.apply(event("pageview", visitor, number))
    await history.apply(event("identify", visitor, number + 1, login=login))
    before = set(history.store.kept["merges"])
    names = [n for n in before if history.store.kept["merges"][n]["visitor"] == visitor]
    return max(names, key=lambda name: history.store.kept["merges"][name]["at"])


def eva(history: ProjectorHarness) -> str:
    return history.people.of_login(APP, "eva")


def records(history: ProjectorHarness) -> set[str]:
    return set(history.store.kept["merges"])


async def test_late_erasure_leaves_the_merges_that_came_since() -> None:
    history = ProjectorHarness()
    await merged(history, "spooled", 1)
    since = await merged(history, "tablet", 20)
    await history.apply(erasure("spooled", 10, eva(history), **LATE))
    assert records(history) == {since}
    await history.apply(undoing("tablet", 30, since))  # so it can still be undone, and is listed
    assert "undone" in history.store.kept["merges"][since]
    await history.apply(erasure("spooled", 10, eva(history), **LATE))
    assert records(history) == {since}


async def test_erasure_takes_other_browsers_merges_from_before() -> None:
    history = ProjectorHarness()
    for visitor in ("phone", "desk"):
        await merged(history, visitor, 1)
    await history.apply(erasure("phone", 10, eva(history)))
    assert records(history) == set()


async def test_erasure_takes_all_of_its_own_browser() -> None:
    # The operator's event is of whatever the browser has of the person when it arrives.
    history = ProjectorHarness()
    await merged(history, "phone", 1)
    await history.apply(event("logout", "phone", 5))
    await merged(history, "phone", 20)
    await history.apply(erasure("phone", 10, eva(history)))
    assert records(history) == set() and history.profiles() == {}


async def test_who_was_erased_long_ago_and_came_back_is_left_alone() -> None:
    """Two persons on one browser: the tombstone remembers both."""
    history = ProjectorHarness()
    await merged(history, "kiosk", 1)
    await history.apply(erasure("kiosk", 10, eva(history)))
    since = await merged(history, "phone", 20)
    await merged(history, "kiosk", 30, "adam")
    await history.apply(erasure("kiosk", 40, history.people.of_login(APP, "adam")))
    assert records(history) == {since}
    assert history.login("eva")["aliases"] == [since]


async def test_late_erasure_leaves_what_was_stated_and_unmerged_since() -> None:
    history = ProjectorHarness()
    await merged(history, "desk", 1)
    await history.apply(one_signal("desk", 5, PLAYER), event("logout", "desk", 20))
    since = await merged(history, "desk", 21)
    await history.apply(one_signal("desk", 25, PLAYER, "optedOut"), undoing("desk", 26, since))
    await history.apply(erasure("desk", 10, eva(history), **LATE))
    (desk,) = history.store.kept["visitors"].values()
    (unmerged,) = [p for epoch in desk["epochs"] for p in epoch.get("unmerged", ())]
    assert unmerged["person"] == eva(history)
    assert [w["at"].second for w in desk["statusHistory"][PLAYER]] == [20, 22, 25]
    assert records(history) == {since}


async def test_record_goes_with_its_epoch_also_where_only_that_is_erased() -> None:
    # The operator saw the anonymous one; the login was on the log already.
    history = ProjectorHarness()
    here, elsewhere = [await merged(history, visitor, 1) for visitor in ("desk", "phone")]
    await history.apply(erasure("desk", 10, here))
    assert records(history) == {elsewhere}


class _Observed(MemoryProjections):
    """Store that notes into whom each person was merged."""

    def __init__(self) -> None:
        super().__init__()
        self.heirs: defaultdict[str, set[str]] = defaultdict(set)

    async def save_merges(self, documents: Sequence[Merge], *more: Any, **named: Any) -> None:
        for document in documents:
            self.heirs[document["_id"]].add(document["person"])
        await super().save_merges(documents, *more, **named)


@pytest.mark.parametrize("seed", range(20))
async def test_nobody_is_ever_merged_into_two_persons(seed: int) -> None:
    """Check what the sender relies on: a record of a merge leads to all that was copied by it.

    After an undo the browser's next login merges another person, its time since then.
    """
    draw, store = random.Random(seed), _Observed()
    history = ProjectorHarness(store)
    people = [history.people.of_login(APP, login) for login in ("eva", "adam", "ann")]
    for number in range(1, 60):
        visitor = draw.choice(["desk", "phone"])
        kind = draw.choice(["identify", "identify", "logout", "pageview", "undo", "erase"])
        if kind == "undo" and store.heirs:
            merge = draw.choice(sorted(store.heirs))
            pair = [merge, draw.choice(people)] if draw.random() < 0.5 else merge
            await history.apply(undoing(visitor, number, pair))
        elif kind == "erase" and draw.random() < 0.3:
            await history.apply(erasure(visitor, number, draw.choice(people)))
        elif kind in ("identify", "logout", "pageview"):
            login = {"login": draw.choice(["eva", "adam", "ann"])} if kind == "identify" else {}
            await history.apply(event(kind, visitor, number, **login))
    assert len(store.heirs) > 3
    assert all(len(heirs) == 1 for heirs in store.heirs.values())
