"""Limits on wrong tokens from an address."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from shared.clock import Monotonic
from shared.errors import Unavailable

BURST = 30  # wrong tokens that an address may try at once
EVERY_SECONDS = 3.0  # for each further one
MAX_GUESSING_ADDRESSES = 10_000  # least recent attempts are dropped first
KEPT_CALLERS = 10_000

Caller = tuple[str, str]  # an address, and the keyed hash of a token


class TooManyGuesses(Unavailable):
    """Refusal: the address has tried too many wrong tokens."""

    code = "too_many_guesses"
    status = 429

    def __init__(self, seconds: float) -> None:
        super().__init__("too many tokens from this address were none")
        self.retry_after_seconds = max(1, math.ceil(seconds))


class Guesses:
    """Bucket per address. A token that was right there before is never limited."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._now = monotonic
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how many, and when
        self._right: OrderedDict[Caller, None] = OrderedDict()
        self._trying: set[Caller] = set()

    @contextmanager
    def attempt(self, caller: Caller) -> Iterator[None]:
        """Count the attempt, unless it succeeds. Raises TooManyGuesses before the attempt."""
        # It counts beforehand, so that a thousand at once don't pass. A token counts once at a time.
        if caller in self._right or caller in self._trying:
            yield
            return
        self._take(caller[0])
        self._trying.add(caller)
        try:
            yield
        finally:
            self._trying.discard(caller)
        self._release(caller[0])
        self._right[caller] = None
        if len(self._right) > KEPT_CALLERS:
            self._right.popitem(last=False)

    def forget(self, caller: Caller) -> None:
        """Forget that a token was right."""
        self._right.pop(caller, None)

    def _take(self, address: str) -> None:
        spent = self._level(address)
        if spent + 1 > BURST:
            raise TooManyGuesses((spent + 1 - BURST) * EVERY_SECONDS)
        self._note(address, spent + 1)

    def _release(self, address: str) -> None:
        self._note(address, max(0.0, self._level(address) - 1))

    def _level(self, address: str) -> float:
        spent, at = self._spent.get(address, (0.0, 0.0))
        return max(0.0, spent - (self._now() - at) / EVERY_SECONDS)

    def _note(self, address: str, spent: float) -> None:
        self._spent.pop(address, None)
        if spent:
            self._spent[address] = (spent, self._now())
        if len(self._spent) > MAX_GUESSING_ADDRESSES:
            self._spent.popitem(last=False)
