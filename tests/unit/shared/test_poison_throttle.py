"""Tests that only poison slows a stage down; a good record ends that, and nothing else is needed."""

from __future__ import annotations

from shared.stage.poison_throttle import POISON_LIMIT, SLOW_UNIT_SECONDS, PoisonThrottle
from tests.support.clocks import ManualClock


def _watch() -> tuple[PoisonThrottle, ManualClock]:
    clock = ManualClock()
    return PoisonThrottle("test", clock.monotonic), clock


def test_it_slows_down_and_comes_back_by_itself() -> None:
    watch, clock = _watch()
    watch.count(POISON_LIMIT - 1, POISON_LIMIT - 1)
    assert not watch.only_poison and not watch.is_too_soon(0)
    for _ in range(3):  # an attacker's records: each second another unit, without end
        watch.count(200, 200)
        assert watch.only_poison and watch.is_too_soon(0)
        clock.advance(SLOW_UNIT_SECONDS)
        assert not watch.is_too_soon(0)
        assert watch.is_too_soon(1)  # one at a time
    watch.count(199, 200)
    assert not watch.only_poison and not watch.is_too_soon(0)


def test_a_good_record_between_breaks_the_run() -> None:
    watch, _ = _watch()
    for _ in range(10):
        watch.count(POISON_LIMIT - 1, POISON_LIMIT - 1)
        watch.count(0, 1)
        assert not watch.only_poison
