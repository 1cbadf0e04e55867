"""Moments of a batch are the same, however often it comes and wherever it was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StoreUnavailable
from shared.kafka.records import OutgoingRecord
from tests.support.histories import RELAXED, BreakingProjections, logs
from tests.support.projector_doubles import MemoryProjections
from tests.unit.ingest.moment_harness import MomentHarness
from tests.unit.ingest.operator_histories import histories

Calls = list[list[OutgoingRecord]]


def _published(batches: Sequence[Sequence[Any]], store: MemoryProjections, times: int) -> Calls:
    """Return what each batch published, which is delivered so many times."""
    history = MomentHarness(store)

    async def run() -> None:
        for batch in batches:
            done = 0
            while done < times:
                try:
                    await history.apply(*batch)
                    done += 1
                except StoreUnavailable:
                    continue

    asyncio.run(run())
    return history.calls


@RELAXED
@given(data=st.data())
def test_batch_that_comes_twice_publishes_the_same_twice(data: st.DataObject) -> None:
    batches = data.draw(logs(data.draw(histories())))
    twice = _published(batches, MemoryProjections(), 2)
    assert twice[::2] == twice[1::2]


@RELAXED
@given(data=st.data(), breaks=st.sets(st.integers(1, 40), max_size=6))
def test_batch_that_was_cut_off_publishes_all_of_it(data: st.DataObject, breaks: set[int]) -> None:
    batches = data.draw(logs(data.draw(histories())))
    whole = _published(batches, MemoryProjections(), 1)
    assert _published(batches, BreakingProjections(breaks), 1) == whole


@RELAXED
@given(data=st.data())
def test_every_record_can_be_read_and_names_a_stored_profile_or_nobody(data: st.DataObject) -> None:
    batches = data.draw(logs(data.draw(histories())))
    store = MemoryProjections()
    history = MomentHarness(store)

    async def run() -> None:
        for batch in batches:
            for name, moment in (await history.moments(*batch)).items():
                stored = store.kept["profiles"].get(name)
                seen = None if stored is None else stored["lastSeenAt"]
                assert (moment.person, moment.seen_at) == (name, seen)

    asyncio.run(run())
