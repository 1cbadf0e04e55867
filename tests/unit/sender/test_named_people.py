"""Lists of names: whom they mean, once each, all of a person's players in one page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.recipient import Recipient
from sender_service.planner.recipients import ResolvedRecipient, resolve_list
from sender_service.planner.target import Candidate
from shared.documents.profile import Profile
from tests.support.builders import campaign, pages_of, plan, player, player_id, profile, variant

Name = tuple[dict[str, Any], Profile | None]


def listed(*names: Name) -> list[Candidate]:
    """Draw names and who is behind them."""
    return resolve_list(
        [ResolvedRecipient(Recipient.model_validate(name), who) for name, who in names]
    )


def by_player(n: int, person: Profile | None, **variables: Any) -> Name:
    return {"player": player_id(n), "variables": variables}, person


def by_login(person: Profile, **variables: Any) -> Name:
    return {"login": person["login"], "variables": variables}, person


def test_unknown_player_is_suppressed_as_invalid() -> None:
    (page,) = pages_of(plan(), listed(by_player(1, None), by_player(1, None)))
    assert page.members == [[player_id(1), "", ""]]
    assert page.document["outcomes"] == {"0": ["suppressed", "invalid"]}
    assert page.sums.suppressed == {"invalid": 1} and not page.is_open


def test_player_its_owner_does_not_list_is_accounted_for() -> None:
    (page,) = pages_of(plan(), listed(by_player(1, profile("p", player(2)))))
    assert (
        page.document["outcomes"] == {"0": ["suppressed", "invalid"]}
        and page.document["noPlayer"] == 0
    )


def test_named_player_alone_gets_it() -> None:
    (page,) = pages_of(plan(), listed(by_player(2, profile("p", player(1), player(2)))))
    assert [member[0] for member in page.members] == [player_id(2)]


def test_people_without_a_player_are_counted() -> None:
    names: list[Name] = [({"login": "gone"}, None), by_login(profile("p", login="ann"))]
    (page,) = pages_of(plan(), listed(*names))
    assert page.document["noPlayer"] == 2 and page.sums.people["no_player"] == 2
    assert page.members == []


def test_person_without_a_player_named_twice_is_counted_once() -> None:
    person = profile("p", login="ann", visitors=["v1"])
    found = listed(by_login(person), ({"visitor": "v1"}, person))
    (page,) = pages_of(plan(), found)
    assert page.document["noPlayer"] == 1
    # Also when planning goes on behind the first name, in another process.
    (rest,) = pages_of(plan(), found[1:])
    assert rest.document["noPlayer"] == 0


def test_person_named_thrice_is_there_once() -> None:
    person = profile("p", player(1), player(2), login="ann", visitors=["v1"])
    names = [by_player(2, person), by_login(person), ({"visitor": "v1"}, person)]
    pages = pages_of(plan(page_members=2), listed(*names))
    assert sorted(m[0] for p in pages for m in p.members) == [player_id(1), player_id(2)]
    assert sum(p.document["noPlayer"] for p in pages) == 0


def test_players_named_at_a_distance_are_in_one_page_each_with_its_own_variables() -> None:
    both = profile("p", player(1), player(2), player(3))
    other = profile("q", player(4))
    names = [by_player(1, both, name="one"), by_player(4, other, name="q"), by_player(2, both)]
    of = plan(campaign(variant(contents={"en": "{{ name }}"})), page_members=2, name="shared")
    first, second = pages_of(of, listed(*names))
    assert [member[:2] for member in first.members] == [[player_id(1), "p"], [player_id(2), "p"]]
    assert [member[:2] for member in second.members] == [[player_id(4), "q"]]
    assert len({member[2] for member in first.members}) == 2


def test_bad_variables_of_a_person_count_once() -> None:
    person = profile("p", player(1), player(2), player(3), login="ann")
    names = [by_player(1, person), by_player(2, person, name="two"), by_login(person)]
    of = plan(campaign(variant(contents={"en": "{{ name }}"})))
    (page,) = pages_of(of, listed(*names))
    failed = {page.members[int(index)][0] for index in page.document["outcomes"]}
    assert failed == {player_id(1), player_id(3)}
    assert page.sums.people == {"sent": 0, "pending": 1, "failed": 0, "suppressed": 0,
                                      "no_player": 0}  # fmt: skip


PEOPLE = [
    profile(
        f"p{n}",
        *(player(10 * n + k) for k in range(n % 4)),
        login=f"l{n}",
        visitors=[f"v{n}"],
        aliases=[f"was-p{n}"],
    )  # fmt: skip
    for n in range(8)
]
NAMES: list[Name] = [
    name
    for person in PEOPLE
    for name in (
        by_login(person),
        ({"visitor": person["visitors"][0]}, person),
        ({"person": person["_id"]}, person),
        ({"person": f"was-{person['_id']}"}, person),
        *(({"player": p["id"]}, person) for p in person["players"]),
    )
]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=40), st.integers(1, 5))
def test_the_order_of_names_changes_nobody(names: list[Name], page_members: int) -> None:
    # Each person who is meant is there, once, in one page; and nobody else.
    meant: dict[str, set[str]] = defaultdict(set)
    for name, person in names:
        assert person is not None
        every = {p["id"] for p in person["players"]}
        meant[person["_id"]] |= {name["player"]} if "player" in name else every
    pages = pages_of(plan(page_members=page_members), listed(*names))
    members = [(m[1], m[0]) for page in pages for m in page.members]
    assert sorted(members) == sorted((who, p) for who, players in meant.items() for p in players)
    for who in meant:
        assert sum(any(m[1] == who for m in page.members) for page in pages) <= 1
    assert sum(page.document["noPlayer"] for page in pages) == sum(
        not players for players in meant.values()
    )
