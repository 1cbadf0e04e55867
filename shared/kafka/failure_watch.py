"""Replacement of a client that fails for long, whatever its reason.

After a broker that hung and was stopped, one client was seen never to find it again. Others of the
same process did, and a client's inside isn't ours to mend.
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
    """Watch that calls `give_up` each time nothing has succeeded for GIVE_UP_SECONDS."""

    def __init__(self, give_up: Callable[[], None], ticks: Monotonic = monotonic) -> None:
        self._give_up = give_up
        self._ticks = ticks
        self._since: float | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch a call of the client inside the `with` block."""
        try:
            yield
        except LogUnavailable:
            if self._since is None:
                self._since = self._ticks()
            elif self._ticks() - self._since > GIVE_UP_SECONDS:
                self._since = None
                log.warning("Kafka client replaced", extra={"seconds": GIVE_UP_SECONDS})
                self._give_up()
            raise
        self._since = None
