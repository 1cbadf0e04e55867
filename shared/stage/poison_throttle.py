"""A stage that finds only poison: the stage is wrong then, more likely than all the records.

It would empty a topic into the dead letters, so it slows down to one unit a second and says so. It
never stops for good: whoever can get bad records in could stop it, and nothing would start it again.
At that pace it still reads more than one address may write (100 events a second), and the first good
record ends it.
"""

from __future__ import annotations

import logging

from shared.clock import Monotonic

log = logging.getLogger("carillon.stage")

POISON_LIMIT = 1_000  # in a row, and nothing else
LOOK_SECONDS = 1.0  # between two units while it lasts
ONLY_POISON = "only_poison"


class PoisonThrottle:
    """Counts what a stage's units came to."""

    def __init__(self, stage: str, monotonic: Monotonic) -> None:
        self._stage = stage
        self._now = monotonic
        self._run = 0
        self._counted_at = 0.0

    @property
    def only_poison(self) -> bool:
        return self._run >= POISON_LIMIT

    def holds(self, under_way: int) -> bool:
        """Is it too soon for another unit?"""
        return self.only_poison and (under_way > 0 or self._now() - self._counted_at < LOOK_SECONDS)

    def count(self, poison: int, total: int) -> None:
        """One unit is done."""
        was = self.only_poison
        self._run = self._run + poison if poison == total else 0
        self._counted_at = self._now()
        if self.only_poison and not was:
            log.error("stage slowed down: it finds only poison", extra={"stage": self._stage})
        if was and not self.only_poison:
            log.warning("stage goes on: a good record came", extra={"stage": self._stage})
