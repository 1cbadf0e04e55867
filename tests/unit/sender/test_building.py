"""Tests of who of an audience gets into a page, as what, and into which call."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.campaign import Campaign
from sender_service.models.policy import AppPolicy
from sender_service.planner import building
from sender_service.planner.building import PageBuilder
from sender_service.planner.policy import choose_variant
from sender_service.planner.target import Candidate, PlayerSelection
from tests.support.builders import (
    campaign,
    candidates,
    outcomes,
    pages_of,
    plan,
    player,
    player_id,
    profile,
    variant,
)
from tests.support.clocks import START


def test_each_person_gets_it_on_every_browser() -> None:
    found = outcomes(plan(), profile("p", player(1), player(2)), profile("q", player(3)))
    assert found == {player_id(1): "", player_id(2): "", player_id(3): ""}


def test_unreachable_players_are_suppressed() -> None:
    found = outcomes(
        plan(), profile("p", player(1, "unsubscribed"), player(2, "invalid"), player(3))
    )
    assert found == {player_id(1): "unsubscribed", player_id(2): "invalid", player_id(3): ""}


def test_last_active_browser_only() -> None:
    person = profile("p", player(1, seen=5), player(2, seen=9), player(3, "unsubscribed", seen=99))
    found = outcomes(plan(campaign(browsers="last_active")), person)
    assert found == {player_id(1): "browser_policy", player_id(2): "", player_id(3): "unsubscribed"}


def test_holdout_is_a_stable_share() -> None:
    people = [profile(f"person-{n}", player(n)) for n in range(2_000)]
    first = outcomes(plan(campaign(holdout=0.25)), *people)
    again = outcomes(plan(campaign(holdout=0.25)), *reversed(people))
    assert first == again
    assert 420 < Counter(first.values())["holdout"] < 580
    more = outcomes(plan(campaign(holdout=0.5)), *people)
    assert all(more[name] == "holdout" for name, reason in first.items() if reason == "holdout")


def test_holdout_leaves_other_reasons_alone() -> None:
    of = plan(campaign(holdout=0.999999))
    assert outcomes(of, profile("p", player(1, "invalid"), player(2))) == {
        player_id(1): "invalid", player_id(2): "holdout",
    }  # fmt: skip


def test_control_group_is_the_same_for_all_campaigns() -> None:
    people = [Candidate(n, profile(f"p{n}", player(n))) for n in range(400)]

    def held_out(campaign_id: str, priority: str = "marketing") -> set[str]:
        ours = plan(campaign().model_copy(update={"id": campaign_id}), priority=priority)
        (page,) = pages_of(replace(ours, of_app=AppPolicy(control_group=0.25)), people)
        assert all(o == ["suppressed", "holdout"] for o in page.document["outcomes"].values())
        return {page.members[int(index)][1] for index in page.document["outcomes"]}

    assert 60 < len(held_out("one")) < 140
    assert held_out("one") == held_out("two")
    assert held_out("one", "transactional") == set()


def test_transactional_skips_the_holdout() -> None:
    of = plan(campaign(holdout=0.999999), priority="transactional")
    assert outcomes(of, profile("p", player(1))) == {player_id(1): ""}


def _shares(of: Campaign, people: int = 10_000) -> Counter[str]:
    return Counter(choose_variant(f"person-{n}", of).id for n in range(people))


def test_variants_are_chosen_by_weight() -> None:
    of = campaign(variant(id="a", weight=3), variant(id="b", weight=1), variant(id="c", weight=0))
    shares = _shares(of)
    assert 7_200 < shares["a"] < 7_800 and shares["a"] + shares["b"] == 10_000


def test_variant_of_a_person_stays() -> None:
    of = campaign(variant(id="a"), variant(id="b"))
    assert choose_variant("p", of) == choose_variant("p", of)
    assert len(_shares(of, 100)) == 2


def test_campaigns_choose_independently() -> None:
    one = campaign(variant(id="a"), variant(id="b"))
    other = one.model_copy(update={"id": "other"})
    same = sum(
        choose_variant(f"p{n}", one).id == choose_variant(f"p{n}", other).id for n in range(2_000)
    )
    assert 850 < same < 1_150


def test_bad_variables_fail_only_their_person() -> None:
    of = plan(campaign(variant(contents={"en": "{{ name }}"})))
    candidates = [
        Candidate(1, profile("p", player(1), player(2, "invalid"))),
        Candidate(2, profile("q", player(3)), (PlayerSelection(None, {"name": "Zoe"}),)),
    ]
    (page,) = pages_of(of, candidates)
    assert page.document["outcomes"] == {
        "0": ["failed", "bad_variables"],
        "1": ["suppressed", "invalid"],
    }
    assert page.members[2][2] == "0" and list(page.chunks) == ["0"]


def test_nobody_rendered_where_nobody_is_reachable() -> None:
    builder = PageBuilder(plan(campaign(variant(contents={"en": "{{ gone }}"}))), 0, START, set())
    builder.add(Candidate(1, profile("p", player(1, "unsubscribed"))))
    assert builder.bad == 0


def test_people_without_a_player_fill_a_page_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else they pile up while hardly anybody of the audience has one, and a crash begins anew.
    monkeypatch.setattr(building, "MAX_PLAYERLESS", 3)
    people = [profile(f"p{n}") for n in range(8)]
    pages = pages_of(plan(), candidates(*people, profile("q", player(1))))
    assert [page.document["noPlayer"] for page in pages] == [3, 3, 2]
    assert [len(page.members) for page in pages] == [0, 0, 1]


def test_same_body_shares_a_chunk_and_chunks_are_bounded() -> None:
    texts = {"en": "Hello", "de": "Hallo"}
    people = [profile(f"p{n}", player(n), language="de" if n % 3 == 0 else "en") for n in range(30)]
    of = plan(campaign(variant(contents=texts)), chunk_members=8)
    (page,) = pages_of(of, candidates(*people))
    sizes = Counter(member[2] for member in page.members)
    assert sorted(sizes.values()) == [2, 4, 8, 8, 8] and set(sizes) == set(page.chunks)


def test_bodies_lie_where_their_chunks_state() -> None:
    of = plan(campaign(variant(contents={"en": "{{ name }}"})))
    builder = PageBuilder(of, 0, START, set())
    for n in range(5):
        builder.add(
            Candidate(
                n, profile(f"p{n}", player(n)), (PlayerSelection(None, {"name": f"n{n % 2}"}),)
            )
        )
    for name, person, chunk in builder.members:
        text = builder.pushes[int(chunk)].text
        assert text == f"n{int(person[1:]) % 2}", name


def test_a_page_holds_a_hundred_calls() -> None:
    people = [profile(f"p{n}", player(n), basket={"n": n}) for n in range(250)]
    of = plan(campaign(variant(contents={"en": "{{ profile.basket.n }}"})))
    pages = pages_of(of, candidates(*people))
    assert [len(p.chunks) for p in pages] == [100, 100, 50]
    assert sum(len(p.members) for p in pages) == 250


@pytest.mark.parametrize("n", [0, 3])
def test_page_is_not_due_before_the_send_is_planned(n: int) -> None:
    page = PageBuilder(plan(), n, START, set()).page("cursor")
    assert (
        page.document["dueAt"].year == 9999
        and page.document["resumeAt"] == "cursor"
        and page.id.endswith(f":{n}")
    )


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 8), st.integers(1, 4))
def test_everyone_is_in_one_page_with_all_browsers(
    sizes: list[int], limit: int, calls: int
) -> None:
    number = iter(range(10_000))
    people = [
        profile(f"p{i}", *(player(next(number)) for _ in range(s))) for i, s in enumerate(sizes)
    ]
    pages = pages_of(plan(page_members=limit, chunk_members=calls), candidates(*people))
    assert sum(p.sums.audience for p in pages) == sum(sizes)
    assert sum(p.document["noPlayer"] for p in pages) == sizes.count(0)
    home: dict[str, int] = {}
    for page in pages:
        people_here = Counter(member[1] for member in page.members)
        assert len(page.members) <= limit or len(people_here) == 1
        assert all(home.setdefault(person, page.number) == page.number for person in people_here)
        assert max(Counter(m[2] for m in page.members).values(), default=0) <= calls
        assert page.sums.audience == page.sums.pending == len(page.members)
    assert [p.document["resumeAt"] for p in pages[:-1]] == sorted(
        {p.document["resumeAt"] for p in pages[:-1]}
    )
