"""Replays end equal also with erasures, undone merges, imports, Event Streams and deliveries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.projector.profile import BOUNDS, ProfileLimits
from tests.support.histories import (
    RELAXED,
    TIGHT,
    BreakingProjections,
    logs,
    replay_batches,
)
from tests.support.projector_doubles import ProjectorHarness
from tests.unit.ingest.operator_histories import histories

LEFT_OUT = {"rev", "changedAt", "previous", "lastSeenAt"}  # the last: a webhook may come too early
SCRUBBED = {"history", "since"}  # equal only where all of a person's browsers have events: not here


def _players(history: ProjectorHarness) -> dict[str, Any]:
    left_out = LEFT_OUT | (SCRUBBED if history.store.erasures else set())
    return {
        player: {k: v for k, v in entry.items() if k not in left_out}
        for player, entry in history.store.kept["players"].items()
    }


@pytest.mark.parametrize("bounds", [BOUNDS, TIGHT])
@RELAXED
@given(data=st.data())
def test_interleaving_and_repetition_change_nothing(
    data: st.DataObject, bounds: ProfileLimits
) -> None:
    history = data.draw(histories())
    first, second = (replay_batches(data.draw(logs(history)), bounds=bounds) for _ in range(2))
    assert first.profiles() == second.profiles()
    assert _players(first) == _players(second)


@pytest.mark.parametrize("bounds", [BOUNDS, TIGHT])
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
    assert _players(broken) == _players(whole)


@RELAXED
@given(st.data())
def test_every_player_is_in_its_owners_profile_only(data: st.DataObject) -> None:
    history = replay_batches(data.draw(logs(data.draw(histories()))))
    listed = {
        player["id"]: name
        for name, profile in history.profiles().items()
        for player in profile["players"]
    }
    owned = {p: d["person"] for p, d in history.store.kept["players"].items() if d["person"]}
    assert listed == owned
    assert not any(d["state"] == "erased" and d["person"] for d in _players(history).values())
