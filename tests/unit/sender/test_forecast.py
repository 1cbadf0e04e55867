"""Tests of how long a send will take, and when the message limit delays it."""

from __future__ import annotations

import pytest

from sender_service.ops.forecast import Load, Window, forecast


@pytest.mark.parametrize(
    ("load", "window", "seconds", "is_limited"),
    [
        (Load(0, 0), Window(100, 100, 1_000), 0, False),
        (Load(1, 100), Window(100, 100, 1_000), 1, False),
        (Load(1_500, 100), Window(100, 100, 1_000), 15, False),
        (Load(1, 101), Window(100, 100, 1_000), 900, True),
        (Load(1, 300), Window(100, 100, 1_000), 1_800, True),
        (Load(1, 301), Window(100, 100, 1_000), 2_700, True),
        (Load(1, 100), Window(100, 0, 1_000), 900, True),
        (Load(100_000, 101), Window(100, 100, 1_000), 1_000, True),
        (Load(1, 1), Window(0, 0, 0), None, True),
        (Load(0, 0), Window(0, 0, 0), 0, False),
    ],
)
def test_seconds(load: Load, window: Window, seconds: int | None, is_limited: bool) -> None:
    result = forecast(load, 100.0, window)
    assert result.window is not None
    assert (result.seconds, result.window.must_wait) == (seconds, is_limited)


def test_nearness_counts_what_went_and_what_would_go_at_once() -> None:
    for messages, share, is_near in ((50, 0.75, False), (5_000, 0.9, True)):
        window = forecast(Load(1, messages), 100.0, Window(900, 200, 1_000)).window
        assert window is not None
        assert (window.disable_limit_share, window.near) == (share, is_near)


def test_without_a_rate_or_a_window_nothing_is_promised() -> None:
    assert forecast(Load(5, 5), 0.0, Window(9, 9, 90)).seconds is None
    assert forecast(Load(5, 5), 2.0, None).seconds == 3
