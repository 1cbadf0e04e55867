"""Outcomes of persons: of all players of one, the best counts."""

from __future__ import annotations

import pytest

from sender_service.pages.person_outcomes import PersonOutcome, outcomes_of
from tests.support.pages import build_page

SENT, FAILED = ["sent", ""], ["failed", "rejected"]
HELD_OUT, CAPPED = ["suppressed", "holdout"], ["suppressed", "capped"]
EMPTIED = ["suppressed", "not_applicable", "emptied"]


@pytest.mark.parametrize(
    ("of_players", "why", "stays"),
    [
        ([FAILED, SENT], "sent", True),
        ([SENT, EMPTIED], "sent", True),
        ([HELD_OUT, FAILED], "holdout", True),
        ([FAILED, EMPTIED, CAPPED], "emptied", False),
        ([CAPPED], "capped", False),
    ],
)
def test_the_best_of_her_players_counts(of_players: list[list[str]], why: str, stays: bool) -> None:
    members = [[f"player-{n}", "ann", "0"] for n in range(len(of_players))]
    outcomes = {str(n): of for n, of in enumerate(of_players)}
    page = build_page("send", [*members, ["stray", "", "0"]], outcomes=outcomes)
    found = list(outcomes_of(page))
    assert {person for person, _ in found} == {"ann"}, "a player without a person is nobody's"
    best = max(outcome for _, outcome in found)
    assert (best.why, best.stays_push) == (why, stays)


def test_a_member_without_an_outcome_of_its_own_has_its_chunks() -> None:
    members = [["p-1", "ann", "0"], ["p-2", "bob", "1"]]
    chunks = {"0": {"state": "sent"}, "1": {"state": "suppressed", "reason": "expired"}}
    found = dict(outcomes_of(build_page("send", members, chunks)))
    assert found == {"ann": PersonOutcome(3, "sent"), "bob": PersonOutcome(0, "expired")}
