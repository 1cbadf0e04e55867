"""Tests of when a client that fails is given up."""

from __future__ import annotations

import pytest

from shared.errors import LogUnavailable
from shared.kafka.failure_watch import GIVE_UP_SECONDS, FailureWatch


class Clients:
    """Counts how many were given up, at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.given_up = 0
        self.watched = FailureWatch(self._give_up, lambda: self.now)

    def _give_up(self) -> None:
        self.given_up += 1

    def fail_at(self, now: float) -> None:
        self.now = now
        with pytest.raises(LogUnavailable), self.watched():
            raise LogUnavailable("away")


def test_one_that_fails_for_long_is_given_up_once() -> None:
    clients = Clients()
    clients.fail_at(0)
    clients.fail_at(GIVE_UP_SECONDS)
    assert clients.given_up == 0
    clients.fail_at(GIVE_UP_SECONDS + 1)
    assert clients.given_up == 1
    clients.fail_at(GIVE_UP_SECONDS + 2)
    assert clients.given_up == 1


def test_success_between_begins_anew() -> None:
    clients = Clients()
    clients.fail_at(0)
    with clients.watched():
        pass
    clients.fail_at(GIVE_UP_SECONDS + 1)
    assert clients.given_up == 0
