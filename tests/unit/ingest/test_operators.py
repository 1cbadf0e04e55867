"""An operator's hand: a person erased, a merge undone; both hold for good."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import StoreUnavailable
from tests.support.ops_events import erasure, undoing
from tests.support.projector_doubles import (
    APP,
    MemoryProjections,
    ProjectorHarness,
    event,
    one_signal,
)

P = "11111111-1111-4111-8111-111111111111"
Q = "22222222-2222-4222-8222-222222222222"


def everything(history: ProjectorHarness) -> str:
    return json.dumps(history.store.kept, default=str)


async def eva_with_two_browsers() -> tuple[ProjectorHarness, str]:
    history = ProjectorHarness()
    await history.apply(
        one_signal("phone", 1, P), event("pageview", "phone", 2, itemID="shoe"),
        event("identify", "phone", 3, login="eva", email="eva@example.test"),
        one_signal("desk", 4, Q), event("identify", "desk", 5, login="eva"),
    )  # fmt: skip
    return history, history.people.of_login(APP, "eva")


async def test_erased_person_is_gone() -> None:
    history, eva = await eva_with_two_browsers()
    await history.apply(erasure("phone", 10, eva, P, Q), erasure("desk", 11, eva, P, Q))
    assert history.profiles() == {}
    assert history.store.kept["merges"] == {}
    left = everything(history)
    for name in ("eva", "phone", "desk", "shoe", "eva@example.test"):
        assert f'"{name}"' not in left, name
    for player in (P, Q):
        entry = history.player(player)
        assert (entry["state"], entry["person"], entry["previous"]) == ("erased", "", [])
    assert history.store.erasures == 2  # before its first write, and after its last


async def test_what_occurred_before_an_erasure_and_comes_later_is_dropped() -> None:
    history, eva = await eva_with_two_browsers()
    await history.apply(erasure("phone", 10, eva, P), erasure("desk", 10, eva))
    await history.apply(event("identify", "phone", 9, login="eva"), one_signal("desk", 8, Q))
    assert history.profiles() == {}
    assert history.player(Q)["state"] == "erased"


async def test_browser_that_comes_back_is_someone_new() -> None:
    history, eva = await eva_with_two_browsers()
    first = history.people.of_visitor(APP, "phone", "0")
    await history.apply(erasure("phone", 10, eva, P))
    await history.apply(event("pageview", "phone", 11, itemID="hat"), one_signal("phone", 12, P))
    (person,) = set(history.profiles()) - {eva}
    assert person != first
    assert [v["item"] for v in history.profiles()[person]["viewed"]] == ["hat"]
    assert (history.player(P)["state"], history.player(P)["person"]) == ("subscribed", person)
    assert history.player(P)["previous"] == []


async def test_erasure_on_a_shared_device_spares_who_uses_it_now() -> None:
    history = ProjectorHarness()
    await history.apply(
        one_signal("a", 1, P), event("identify", "a", 2, login="eva"),
        event("identify", "a", 3, login="adam"), event("pageview", "a", 4, itemID="hat"),
    )  # fmt: skip
    eva = history.people.of_login(APP, "eva")
    assert history.login("eva")["pastVisitors"] == ["a"]
    await history.apply(erasure("a", 9, eva))
    adam = history.login("adam")
    assert list(history.profiles()) == [adam["_id"]]
    assert [v["item"] for v in adam["viewed"]] == ["hat"]
    assert history.player(P)["state"] == "subscribed"
    assert history.player(P)["previous"] == []
    assert eva not in [word["person"] for word in history.player(P)["history"]]


async def test_erasure_of_a_past_owner_leaves_the_browser_to_its_present_one() -> None:
    history = ProjectorHarness()
    await history.apply(event("identify", "a", 1, login="adam"), event("logout", "a", 2))
    await history.apply(event("identify", "a", 3, login="eva"), one_signal("a", 4, P))
    await history.apply(erasure("a", 9, history.people.of_login(APP, "eva"), P))
    await history.apply(event("pageview", "a", 10, itemID="hat"))
    assert history.login("adam")["visitors"] == []
    assert history.player(P)["state"] == "erased"


async def test_undone_merge_separates_by_contributions() -> None:
    history, eva = await eva_with_two_browsers()
    born = history.people.of_visitor(APP, "phone", "0")
    await history.apply(undoing("phone", 10, born, person=eva))
    alone = history.anonymous("phone")
    assert alone is not None
    assert [v["item"] for v in alone["viewed"]] == ["shoe"]
    assert (alone["visitors"], alone["pastVisitors"], alone["players"]) == ([], ["phone"], [])
    joined = history.login("eva")
    assert joined["viewed"] == [] and born not in joined["aliases"]
    assert joined["visitors"] == ["desk", "phone"]
    assert history.store.kept["merges"][born]["undone"]["event"] == "phone-10"


async def test_unmerged_pair_never_joins_again() -> None:
    history = ProjectorHarness()
    await history.apply(event("pageview", "a", 1, itemID="shoe"))
    born = history.people.of_visitor(APP, "a", "0")
    eva = history.people.of_login(APP, "eva")
    await history.apply(undoing("a", 2, [born, eva]))
    await history.apply(event("identify", "a", 3, login="eva"))
    assert history.login("eva")["viewed"] == []
    assert history.anonymous("a") is not None
    assert history.store.kept["merges"] == {}


async def test_undoing_twice_is_undoing_once() -> None:
    history, eva = await eva_with_two_browsers()
    undo = undoing("phone", 10, history.people.of_visitor(APP, "phone", "0"), person=eva)
    await history.apply(undo)
    before: Any = history.profiles()
    await history.apply(undo)
    await history.apply(undo.model_copy(update={"id": "again"}))
    assert history.profiles() == before


async def test_undoing_what_never_was_changes_nothing() -> None:
    history, _ = await eva_with_two_browsers()
    before: Any = history.profiles()
    await history.apply(undoing("phone", 10, "nobody"), undoing("nowhere", 11, "nobody"))
    assert history.profiles() == before


async def test_who_was_unmerged_is_not_erased_with_the_other() -> None:
    history, eva = await eva_with_two_browsers()
    born = history.people.of_visitor(APP, "phone", "0")
    await history.apply(undoing("phone", 10, born, person=eva))
    await history.apply(
        erasure("phone", 11, eva, P, aliases=[born]), erasure("desk", 12, eva, aliases=[born])
    )
    assert list(history.profiles()) == [born]


async def test_browser_moves_on_after_its_former_owner_was_erased() -> None:
    history = ProjectorHarness()
    await history.apply(
        event("identify", "a", 1, login="eva"), one_signal("a", 2, P),
        event("identify", "a", 3, login="eva"), event("logout", "a", 4),
    )  # fmt: skip
    await history.apply(erasure("a", 9, history.people.of_login(APP, "eva")))
    await history.apply(event("identify", "a", 10, login="adam"))
    assert history.player(P)["person"] == history.people.of_login(APP, "adam")


async def test_what_occurred_at_the_erasures_own_moment_is_from_before() -> None:
    history, eva = await eva_with_two_browsers()
    await history.apply(erasure("phone", 10, eva), erasure("desk", 10, eva))
    for number, known in ((10, False), (11, True)):
        late = event("pageview", "desk", number, itemID=f"item{number}")
        await history.apply(late.model_copy(update={"id": f"late-{number}"}))
        assert (f"item{number}" in everything(history)) is known


async def test_erasure_cut_off_before_the_profiles_is_finished_by_its_repetition() -> None:
    # Nothing is left in the browser's document that would name the person whose profile must go.

    class Cut(MemoryProjections):
        is_cut = False

        async def save_profiles(self, *documents: Any, **more: Any) -> None:
            if self.is_cut:
                raise StoreUnavailable("away")
            await super().save_profiles(*documents, **more)

    store = Cut()
    history = ProjectorHarness(store)
    await history.apply(event("identify", "phone", 1, login="eva"))
    erase = erasure("phone", 10, history.people.of_login(APP, "eva"))
    store.is_cut = True
    with pytest.raises(StoreUnavailable):
        await history.apply(erase)
    store.is_cut = False
    assert len(history.profiles()) == 1
    await history.apply(erase)
    assert history.profiles() == {}


async def test_player_erased_twice_is_the_same_in_any_batches() -> None:
    together, one_by_one = ProjectorHarness(), ProjectorHarness()
    eva, nobody = (
        together.people.of_login(APP, "eva"),
        together.people.of_visitor(APP, "phone", "0"),
    )
    events = [one_signal("phone", 2, P), erasure("phone", 12, nobody), erasure("phone", 32, eva)]
    await together.apply(*events)
    for one in events:
        await one_by_one.apply(one)
    assert together.player(P)["status"] == one_by_one.player(P)["status"]
    assert together.player(P)["since"] == one_by_one.player(P)["since"] == events[2].occurred_at
