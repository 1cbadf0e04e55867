"""Replays end equal: any interleaving of visitors, any repetition, any cut into batches, any crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.projector.profile import BOUNDS, ProfileLimits
from shared.models.event import Event
from tests.support.histories import (
    HAPPENINGS,
    RELAXED,
    TIGHT,
    VISITORS,
    BreakingProjections,
    Draw,
    history_event,
    logs,
    replay_batches,
)
from tests.support.projector_doubles import by_login


@st.composite
def histories(draw: Draw) -> dict[str, list[Event]]:
    """Draw each visitor's events in its order; their times are in another."""
    found = {}
    for index, visitor in enumerate(VISITORS):
        what = draw(st.lists(HAPPENINGS, max_size=8))
        times = draw(st.permutations(range(len(what))))
        found[visitor] = [
            history_event(visitor, 10 * time + index, w)
            for time, w in zip(times, what, strict=True)
        ]
    for number, login in enumerate(draw(st.lists(st.sampled_from(["eva", "adam"]), max_size=4))):
        order = by_login("purchase", login, 200 + number, id=f"o{number}", items=[])
        found.setdefault(str(order.visitor_id), []).append(order)
    return found


CLAIMED = ProfileLimits(
    browsers=2, players=2, unproven=1
)  # as if everybody had twenty unproven ones more


@pytest.mark.parametrize("bounds", [BOUNDS, TIGHT, CLAIMED])
@RELAXED
@given(data=st.data())
def test_interleaving_and_repetition_change_nothing(
    data: st.DataObject, bounds: ProfileLimits
) -> None:
    history = data.draw(histories())
    first, second = (replay_batches(data.draw(logs(history)), bounds=bounds) for _ in range(2))
    assert first.profiles() == second.profiles()
    owners = [
        {p: (d["person"], d["state"], d["visitor"]) for p, d in h.store.kept["players"].items()}
        for h in (first, second)
    ]
    assert owners[0] == owners[1]


@pytest.mark.parametrize("bounds", [BOUNDS, TIGHT, CLAIMED])
@RELAXED
@given(data=st.data(), breaks=st.sets(st.integers(1, 40), max_size=6))
def test_crashes_between_writes_change_nothing(
    data: st.DataObject, breaks: set[int], bounds: ProfileLimits
) -> None:
    batches = data.draw(logs(data.draw(histories())))
    whole = replay_batches(batches, bounds=bounds)
    broken = replay_batches(batches, BreakingProjections(breaks), bounds)
    assert broken.profiles() == whole.profiles()
    assert broken.store.kept["merges"] == whole.store.kept["merges"]


@RELAXED
@given(st.data())
def test_every_player_is_in_its_owners_profile_only(data: st.DataObject) -> None:
    history = replay_batches(data.draw(logs(data.draw(histories()))))
    listed = {
        player["id"]: name
        for name, profile in history.profiles().items()
        for player in profile["players"]
    }
    assert listed == {p: d["person"] for p, d in history.store.kept["players"].items()}
