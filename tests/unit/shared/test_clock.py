"""A clock that a test may set wrong while the process runs, and one that nobody may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.clock import OFFSET_READ_SECONDS, true_now, utc_now, wrong_clock
from tests.support.clocks import ManualClock

CLOSE = timedelta(seconds=20)


def test_nobody_sets_the_clock_without_the_variable() -> None:
    assert utc_now is true_now
    assert abs(utc_now() - datetime.now(UTC)) < CLOSE


def test_a_clock_steps_as_its_file_states(tmp_path: Path) -> None:
    offset, ticks = tmp_path / "offset", ManualClock()
    clock = wrong_clock(offset, ticks.monotonic)
    assert abs(clock() - true_now()) < CLOSE
    for seconds in (90, -90.5, 0):
        offset.write_text(str(seconds))
        before = clock()
        ticks.advance(OFFSET_READ_SECONDS)
        assert abs(clock() - true_now() - timedelta(seconds=seconds)) < CLOSE
        assert abs(clock() - before) > CLOSE


def test_the_file_is_looked_at_now_and_then(tmp_path: Path) -> None:
    offset, ticks = tmp_path / "offset", ManualClock()
    offset.write_text("90")
    clock = wrong_clock(offset, ticks.monotonic)
    clock()
    offset.write_text("0")
    ticks.advance(OFFSET_READ_SECONDS / 2)
    assert clock() - true_now() > CLOSE
