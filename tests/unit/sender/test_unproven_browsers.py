"""Unproven browsers of a login: what a page plans for them."""

from __future__ import annotations

from typing import Any

import pytest

from sender_service.planner.building import SendPlan
from sender_service.planner.target import Candidate, PlayerSelection
from shared.documents.profile import Profile
from tests.support.builders import (
    campaign,
    outcomes,
    pages_of,
    plan,
    player,
    player_id,
    profile,
    variant,
)

OWN = campaign(variant(contents={"en": "{{ profile.language }}"}))


def _claimed(person: str, *players: dict[str, Any]) -> Profile:
    """Build a person: the first player's browser has proven the login, the others' only claim it."""
    first, *others = players
    return profile(person, {**first, "proven": True}, *others, proven=True)


@pytest.mark.parametrize(
    ("of", "withheld"),
    [
        (plan(OWN), True),
        (plan(OWN, priority="transactional"), True),
        (plan(priority="transactional"), True),
        (plan(priority="triggered"), True),
        (plan(), False),
    ],
    ids=["own texts", "own texts, transactional", "transactional", "triggered", "marketing"],
)
def test_a6_what_is_hers_alone_goes_to_proven_browsers(of: SendPlan, withheld: bool) -> None:
    person = _claimed("p", player(1), player(2, seen=9))
    person["language"] = "cs"
    assert outcomes(of, person) == {
        player_id(1): "", player_id(2): "unproven" if withheld else "",
    }  # fmt: skip


def test_a6_browser_that_only_claims_never_is_the_last_active_one() -> None:
    person = _claimed("p", player(1), player(2, seen=9))
    person["language"] = "cs"
    of = plan(campaign(*(v.document() for v in OWN.variants), browsers="last_active"))
    assert outcomes(of, person) == {player_id(1): "", player_id(2): "unproven"}


def test_a6_nobody_proven_means_that_all_count() -> None:
    of = plan(OWN, priority="transactional")
    person = profile("p", player(1), player(2), language="cs")
    assert outcomes(of, person) == {player_id(1): "", player_id(2): ""}
    logged_out = profile("p", player(1), language="cs", proven=True)  # the proven one has no player
    assert outcomes(of, logged_out) == {player_id(1): "unproven"}


def test_a6_named_player_without_her_own_texts_gets_it() -> None:
    person = _claimed("p", player(1), player(2))
    named = Candidate(1, person, (PlayerSelection(player_id(2)),))
    (page,) = pages_of(plan(priority="transactional"), [named])
    assert page.document["outcomes"] == {}


@pytest.mark.parametrize(
    ("state", "reason"),
    [(None, "invalid"), ("invalid", "invalid"), ("unsubscribed", "unsubscribed"),
     ("erased", "erased"), ("subscribed", "moved")],
)  # fmt: skip
@pytest.mark.parametrize("found", [None, profile("p", player(1))])
def test_a6_named_player_that_no_profile_lists_has_the_ledgers_reason(
    found: Profile | None, state: str | None, reason: str
) -> None:
    named = Candidate(1, found, (PlayerSelection(player_id(9)),), state=state)
    (page,) = pages_of(plan(), [named])
    assert page.document["outcomes"] == {"0": ["suppressed", reason]}
