"""Throttle of a stage that finds only poison: then the stage is wrong, more likely than all the records.

It would empty a topic into the dead letters, so it slows down to one unit a second and reports it. It
never stops for good: a sender of bad records could stop it, and nothing would start it again. At that
pace it still reads more than one address may write (100 events a second). The first good record ends
it.
"""

from __future__ import annotations

import logging

from shared.clock import Monotonic

log = logging.getLogger("carillon.stage")

POISON_LIMIT = 1_000  # in a row, and nothing else
SLOW_UNIT_SECONDS = 1.0  # between two units while it lasts
ONLY_POISON = "only_poison"


class PoisonThrottle:
    """Throttle that counts the poison of a stage's units."""

    def __init__(self, stage: str, monotonic: Monotonic) -> None:
        self._stage = stage
        self._now = monotonic
        self._run = 0
        self._counted_at = 0.0

    @property
    def only_poison(self) -> bool:
        return self._run >= POISON_LIMIT

    def is_too_soon(self, under_way: int) -> bool:
        """Return whether it is too soon for another unit."""
        return self.only_poison and (
            under_way > 0 or self._now() - self._counted_at < SLOW_UNIT_SECONDS
        )

    def count(self, poison: int, total: int) -> None:
        """Count a unit that is done: its poison, and all its records."""
        was = self.only_poison
        self._run = self._run + poison if poison == total else 0
        self._counted_at = self._now()
        if self.only_poison and not was:
            log.error("stage slowed down", extra={"stage": self._stage, "code": ONLY_POISON})
        if was and not self.only_poison:
            log.warning("stage resumed", extra={"stage": self._stage})
