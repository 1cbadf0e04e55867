"""Tests that after a 429 calls go on more slowly, and recover; a burst of them counts once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.dispatcher.throttle import LEAST, RECOVERY_SECONDS, AimdThrottle
from tests.support.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def throttle(clock: ManualClock) -> AimdThrottle:
    return AimdThrottle(clock.monotonic)


def test_nothing_is_throttled_before_a_refusal(throttle: AimdThrottle) -> None:
    assert throttle.share == 1


def test_calls_under_way_count_once(throttle: AimdThrottle, clock: ManualClock) -> None:
    for _ in range(20):
        throttle.refused(2)
        clock.advance(0.05)
    assert throttle.share == 0.5


def test_share_waits_for_the_end_of_the_pause_and_recovers(
    throttle: AimdThrottle, clock: ManualClock
) -> None:
    throttle.refused(10)
    clock.advance(10)
    assert throttle.share == 0.5
    clock.advance(RECOVERY_SECONDS / 4)
    assert throttle.share == pytest.approx(0.75)
    clock.advance(RECOVERY_SECONDS)
    assert throttle.share == 1


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 5)), max_size=40))
def test_never_to_nothing(refusals: list[tuple[float, float]]) -> None:
    clock = ManualClock()
    throttle = AimdThrottle(clock.monotonic)
    for after, pause in refusals:
        clock.advance(after)
        throttle.refused(pause)
        assert LEAST <= throttle.share <= 1
