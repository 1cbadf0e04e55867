"""An erasure reaches browsers that the operator couldn't name, and nothing that came since."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from ingest_service.projector.projector import Projector
from shared.events.payloads import ErasePayload
from shared.events.registry import payload_of
from shared.models.event import Event
from tests.support.ops_events import erasure, imported, undoing
from tests.support.projector_doubles import (
    APP,
    START,
    ProjectorHarness,
    by_login,
    event,
    one_signal,
)

P = "11111111-1111-4111-8111-111111111111"
Q = "22222222-2222-4222-8222-222222222222"


class Followed(ProjectorHarness):
    """Projector whose published records come back to it, behind all that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Event] = []
        self.published: list[Event] = []
        self.projector = Projector(self.store, self.people, lambda: START, self._carry)
        self.eva = self.people.of_login(APP, "eva")

    async def _carry(self, events: Sequence[Event]) -> None:
        self.log += events
        self.published += events

    async def apply_published(self) -> None:
        while self.log:
            first, self.log = self.log[0], self.log[1:]
            await self.apply(Event.parse(first.dump()))

    async def erase(self, number: int, *visitors: str) -> None:
        for index, visitor in enumerate(visitors):
            await self.apply(erasure(visitor, number, self.eva, findOthers=index == 0))

    def everything(self) -> str:
        return json.dumps(self.store.kept, default=str)


async def a_late_browser(history: Followed) -> None:
    await history.apply(event("pageview", "desk", 2, itemID="shoe"), one_signal("desk", 3, Q))
    await history.apply(event("identify", "desk", 4, login="eva"))


async def known_on_phone() -> Followed:
    history = Followed()
    await history.apply(event("identify", "phone", 1, login="eva"), one_signal("phone", 3, P))
    return history


def is_gone(history: Followed) -> bool:
    left = history.everything()
    return not any(f'"{name}"' in left for name in ("eva", "desk", "phone", "shoe"))


async def test_browser_that_comes_after_the_erasure_is_erased_too() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await a_late_browser(history)
    await history.apply_published()
    assert history.profiles() == {} and is_gone(history)
    assert history.player(Q)["state"] == "erased"


async def test_browser_that_comes_just_before_it_is_erased_too() -> None:
    history = await known_on_phone()
    await a_late_browser(history)
    await history.erase(10, "phone")  # made when only the phone was known
    await history.apply_published()
    assert history.profiles() == {} and is_gone(history)


async def test_it_ends_where_nothing_is_left_to_erase() -> None:
    history = await known_on_phone()
    await a_late_browser(history)
    await history.erase(10, "phone", "desk")
    await history.apply_published()
    ids = {one.id for one in history.published}
    await history.apply(*history.published)
    await history.apply_published()
    assert {one.id for one in history.published} == ids


async def test_browser_that_is_read_together_with_the_erasure_is_erased() -> None:
    history = await known_on_phone()
    late = event("identify", "desk", 4, login="eva")
    await history.apply(late, erasure("phone", 10, history.eva, findOthers=True))
    await history.apply_published()
    assert history.profiles() == {} and is_gone(history)


async def test_who_comes_back_keeps_what_came_since() -> None:
    history = await known_on_phone()
    await history.apply(event("pageview", "desk", 2, itemID="shoe"))
    await history.erase(10, "phone")
    await history.apply(event("identify", "desk", 11, login="eva"), one_signal("desk", 12, Q))
    await history.apply(event("pageview", "desk", 13, itemID="hat"))
    await history.apply_published()
    eva = history.login("eva")
    assert [v["item"] for v in eva["viewed"]] == ["hat"] and eva["visitors"] == ["desk"]
    assert (history.player(Q)["state"], history.player(Q)["person"]) == ("subscribed", eva["_id"])
    await history.apply(event("identify", "tablet", 14, login="eva"))
    await history.apply_published()
    assert history.login("eva")["visitors"] == ["desk", "tablet"]


async def test_imported_row_from_before_brings_nobody_back() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await history.apply_published()
    await history.apply(imported(P, 5, tags={"vip": "1"}))
    await history.apply(imported(Q, 6, login="eva"))
    await history.apply(imported(P, 20, login="eva", undated=True))
    await history.apply_published()
    assert history.profiles() == {} and is_gone(history) and "vip" not in history.everything()
    assert history.player(P)["state"] == "erased"


async def test_imported_row_of_before_goes_with_its_player() -> None:
    history = await known_on_phone()
    await history.apply(imported(P, 0, tags={"vip": "1"}))
    assert "vip" in history.everything()
    await history.erase(10, "phone")
    await history.apply_published()
    assert "vip" not in history.everything()


async def test_undated_row_with_the_login_brings_nobody_back() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await history.apply(imported(Q, 20, login="eva", undated=True))
    await history.apply_published()
    assert history.profiles() == {}


async def test_imported_row_from_since_is_someone_new() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await history.apply_published()
    await history.apply(imported(P, 20, login="eva"))
    await history.apply_published()
    assert [p["id"] for p in history.login("eva")["players"]] == [P]


async def test_erasure_finds_a_visitor_that_the_operator_could_not_name() -> None:
    order = by_login("purchase", "eva", 2, id="o-1", items=[])
    history = Followed()
    await history.apply(event("identify", "phone", 1, login="eva"))
    await history.erase(10, "phone")
    await history.apply(order)  # it was in a spool
    await history.apply_published()
    assert history.profiles() == {} and "eva" not in history.everything()
    known = Followed()
    await known.apply(event("identify", "phone", 1, login="eva"), order)
    await known.erase(10, "phone")
    await known.apply_published()
    assert known.profiles() == {} and "eva" not in known.everything()
    assert [e.visitor_id for e in known.published] == [order.visitor_id]


def named(history: Followed) -> dict[str, tuple[list[str], list[str]]]:
    """Return visitor → aliases and players that its late erasure names."""
    payloads = ((str(e.visitor_id), payload_of(e, ErasePayload)) for e in history.published)
    return {visitor: (p.aliases, p.players) for visitor, p in payloads}


@pytest.mark.parametrize("is_late", [True, False])
async def test_a_late_browsers_names_are_all_in_its_erasure(is_late: bool) -> None:
    """Check what the sender gets: it finds what names a person by the names in events only."""
    history = await known_on_phone()
    if is_late:
        await history.erase(10, "phone")
    await a_late_browser(history)
    if not is_late:
        await history.erase(10, "phone")  # made when only the phone was known
    await history.apply_published()
    before_login = history.people.of_visitor(APP, "desk", "0")
    assert named(history) == {
        "desk": ([before_login], []),
        f"os:{P}": ([], [P]),
        f"os:{Q}": ([], [Q]),
    }


async def test_all_of_a_late_browsers_times_without_a_login_are_named() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await a_late_browser(history)
    await history.apply(event("logout", "desk", 5), event("pageview", "desk", 6))
    await history.apply(event("identify", "desk", 7, login="eva"), event("logout", "desk", 11))
    await history.apply(event("identify", "desk", 12, login="eva"))  # came since
    expected = {history.people.of_visitor(APP, "desk", start) for start in ("0", "desk-5")}
    assert set(named(history)["desk"][0]) == expected
    # One that was parted from the person is another person.
    history = await known_on_phone()
    await a_late_browser(history)
    await history.apply(undoing("desk", 5, history.people.of_visitor(APP, "desk", "0")))
    await history.erase(10, "phone")
    assert named(history)["desk"] == ([], [])


async def test_a_late_browser_names_no_player_of_another_person() -> None:
    history = await known_on_phone()
    await history.apply(event("identify", "bobs", 1, login="bob"), one_signal("bobs", 9, Q))
    await history.erase(10, "phone")
    await a_late_browser(history)  # its page had read the id
    await history.apply_published()
    assert named(history)[f"os:{Q}"] == ([], [])
    assert history.player(Q)["person"] == history.people.of_login(APP, "bob")


async def test_a_named_player_that_came_back_since_stays() -> None:
    history = await known_on_phone()
    await history.erase(10, "phone")
    await history.apply(event("identify", "tablet", 20, login="eva"), one_signal("tablet", 21, P))
    await history.apply_published()
    await history.apply(*history.published)
    assert named(history)[f"os:{P}"] == ([], [P])
    eva = history.login("eva")
    assert (history.player(P)["state"], history.player(P)["person"]) == ("subscribed", eva["_id"])
