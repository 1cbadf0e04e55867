"""Members of a scenario's page: who gets the push by the look, and what its texts claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import ItemClaim
from sender_service.pages.page import Page
from sender_service.pages.transitions import PRICE_TTL_SECONDS, release
from sender_service.planner.target import Candidate, PlayerSelection
from shared.documents.profile import Profile
from tests.support.builders import campaign, pages_of, plan, player, profile, send, variant
from tests.support.clocks import START

TEA, MILK = ItemClaim(item="tea", price=8.0), ItemClaim(item="milk", price=2.0)
NAMED = variant(contents={"en": "Still {{ item.title }}?"})
LINKED = variant(url="https://shop.example/{{ items[0].id }}")
EMPTIED = PushLook(why_not="emptied")


def look_at(*items: ItemClaim) -> PushLook:
    given = [{"id": one.item, "title": "Something", "price": one.price} for one in items]
    return PushLook(about=items, variables={"item": given[0], "items": given})


def candidate(person: Profile, look: PushLook, n: int = 1) -> Candidate:
    return Candidate(n, person, (PlayerSelection(None, dict(look.variables)),), look=look)


def planned(of: dict[str, Any], *looks: PushLook, **policy: Any) -> Page:
    """Return the page of people with these looks, a player each."""
    people = [profile(f"p{n}", player(n)) for n in range(len(looks))]
    found = [candidate(people[n], look, n) for n, look in enumerate(looks)]
    (page,) = pages_of(plan(campaign(of, **policy), priority="triggered"), found)
    return page


def test_whom_the_look_excludes_is_suppressed_with_the_detail() -> None:
    page = planned(variant(), EMPTIED, PushLook(why_not="bought"), PushLook())
    assert [page.outcome(n) for n in range(3)] == [
        ("suppressed", "not_applicable"), ("suppressed", "bought"), ("pending", None),
    ]  # fmt: skip
    assert [page.detail(n) for n in range(3)] == ["emptied", None, None]
    assert page.sums.not_applicable == {"emptied": 1}
    assert page.sums.suppressed == {"not_applicable": 1, "bought": 1}


def test_those_held_out_are_decided_on_alike() -> None:
    page = planned(variant(), EMPTIED, PushLook(), holdout=0.999999)
    assert page.sums.suppressed == {"not_applicable": 1, "holdout": 1}


def test_a_browser_that_nothing_reaches_keeps_its_reason() -> None:
    proven = {**player(1), "proven": True}
    person = profile("p", proven, player(2), player(3, "unsubscribed"), proven=True)
    (page,) = pages_of(plan(priority="triggered"), [candidate(person, EMPTIED)])
    reasons = [page.outcome(n)[1] for n in range(3)]
    assert reasons == ["not_applicable", "unproven", "unsubscribed"]
    assert [page.detail(n) for n in range(3)] == ["emptied", None, None]


@pytest.mark.parametrize("of", [NAMED, LINKED])
def test_claims_are_part_of_the_calls_key_where_texts_show_the_item(of: dict[str, Any]) -> None:
    dearer = replace(TEA, price=9.0)
    page = planned(of, *map(look_at, (TEA, MILK, TEA, dearer)))
    assert [page.chunk_name(n) for n in range(4)] == ["0", "1", "0", "2"]
    assert [page.about(n) for n in range(4)] == [(TEA,), (MILK,), (TEA,), (dearer,)]


def test_texts_without_the_item_are_one_call_and_show_no_price() -> None:
    page = planned(variant(), *map(look_at, (TEA, MILK)), PushLook())
    assert list(page.chunks) == ["0"] and not page.shows_prices("0")
    assert page.about(0) == (replace(TEA, price=None),)
    assert page.about(2) == ()


@pytest.mark.parametrize(
    ("look", "ttl"),
    [(look_at(TEA), PRICE_TTL_SECONDS), (look_at(replace(TEA, price=None)), 6 * 3600)],
)
def test_a_price_lasts_four_hours_at_most(look: PushLook, ttl: int) -> None:
    page = planned(NAMED, look)
    snapshot = {"policy": {"ttlSeconds": 6 * 3600}}
    release(
        page, "0", send(campaign_snapshot=snapshot, expires_at=START + timedelta(days=1)), START
    )
    assert page.chunks["0"].ttl == ttl


def test_an_erased_member_leaves_no_items() -> None:
    page = planned(NAMED, look_at(TEA), look_at(MILK))
    page.blank(0, "gone", "gone")
    assert page.about(0) == () and page.about(1) == (MILK,)
    assert "about" in page.changes(timedelta(0))


def test_pages_of_other_sends_have_no_claims() -> None:
    (page,) = pages_of(plan(), [Candidate(1, profile("p", player(1)))])
    assert "about" not in page.document and not page.shows_prices("0")
