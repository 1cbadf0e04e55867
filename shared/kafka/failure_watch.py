"""A client that fails for long is given up, whatever its reason.

After a broker that hung and was stopped, one was seen never to find it again, while others of the same
process did: what goes on inside of a client isn't ours to mend.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.clock import Monotonic, monotonic
from shared.errors import LogUnavailable

log = logging.getLogger("carillon.kafka")

GIVE_UP_SECONDS = 15.0


class FailureWatch:
    """`give_up` is called when nothing has succeeded for so long, and again after as long."""

    def __init__(self, give_up: Callable[[], None], ticks: Monotonic = monotonic) -> None:
        self._give_up = give_up
        self._ticks = ticks
        self._since: float | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Around whatever asks the client for something."""
        try:
            yield
        except LogUnavailable:
            if self._since is None:
                self._since = self._ticks()
            elif self._ticks() - self._since > GIVE_UP_SECONDS:
                self._since = None
                log.warning("Kafka's client is replaced: nothing succeeds")
                self._give_up()
            raise
        self._since = None
