"""Tests of how often an address may try tokens that are none."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sender_service.ops import guesses as module
from sender_service.ops.guesses import BURST, EVERY_SECONDS, Guesses, TooManyGuesses
from shared.errors import Unauthorized
from tests.support.clocks import ManualClock


def wrong(guesses: Guesses, address: str, times: int, name: str = "wrong") -> None:
    for i in range(times):
        with pytest.raises(Unauthorized), guesses.attempt((address, f"{name}{i}")):
            raise Unauthorized("no")


def right(guesses: Guesses, address: str, token: str = "right") -> None:
    with guesses.attempt((address, token)):
        pass


def test_b8_guesses_are_limited_and_come_back_with_time() -> None:
    clock = ManualClock()
    guesses = Guesses(clock.monotonic)
    wrong(guesses, "a", BURST)
    with pytest.raises(TooManyGuesses) as caught, guesses.attempt(("a", "next")):
        pass
    assert 1 <= caught.value.retry_after_seconds <= EVERY_SECONDS + 1
    clock.advance(EVERY_SECONDS)
    wrong(guesses, "a", 1)
    with pytest.raises(TooManyGuesses):
        right(guesses, "a")


def test_b8_right_token_is_not_locked_out_by_others() -> None:
    guesses = Guesses(ManualClock().monotonic)
    right(guesses, "proxy", "known")
    wrong(guesses, "proxy", BURST)
    with pytest.raises(TooManyGuesses):
        right(guesses, "proxy", "never seen there")
    right(guesses, "proxy", "known")
    right(guesses, "elsewhere", "never seen there")


def test_right_ones_cost_nothing() -> None:
    guesses = Guesses(ManualClock().monotonic)
    for i in range(10 * BURST):
        right(guesses, "a", f"token{i}")


def test_b8_many_at_once_are_counted_before_they_are_tried() -> None:
    guesses = Guesses(ManualClock().monotonic)
    began = []
    with suppress(TooManyGuesses):
        for i in range(2 * BURST):
            attempt = guesses.attempt(("a", f"guess{i}"))
            attempt.__enter__()
            began.append(attempt)
    assert len(began) == BURST


def test_same_token_at_once_is_one_guess() -> None:
    guesses = Guesses(ManualClock().monotonic)
    attempts = [guesses.attempt(("a", "mine")) for _ in range(5 * BURST)]
    for attempt in attempts:
        attempt.__enter__()
    for attempt in attempts:
        attempt.__exit__(None, None, None)
    right(guesses, "a", "mine")


def test_b8_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GUESSING_ADDRESSES", 10)
    monkeypatch.setattr(module, "KEPT_CALLERS", 10)
    guesses = Guesses(ManualClock().monotonic)
    for i in range(100):
        wrong(guesses, f"a{i}", 1)
        right(guesses, f"b{i}")
    assert len(guesses._spent) <= 10 and len(guesses._right) <= 10 and not guesses._trying


def test_token_that_ended_is_a_guess_again() -> None:
    guesses = Guesses(ManualClock().monotonic)
    right(guesses, "a", "mine")
    guesses.forget(("a", "mine"))
    wrong(guesses, "a", BURST)
    with pytest.raises(TooManyGuesses):
        right(guesses, "a", "mine")
