"""How much one key and one address may send: token buckets in this process's memory.

Each process counts for itself, so n replicas allow n times as much: the limits are there to keep one
sender from taking everything, not to meter anybody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from ipaddress import ip_network

from starlette.types import Scope

from shared.clock import Monotonic
from shared.errors import Unavailable
from shared.http import client_address, limited_address
from shared.settings import LimitSettings

KEPT_BUCKETS = 50_000  # a bucket that is full again is as good as none


class RateLimited(Unavailable):
    """The same request will be taken later."""

    code = "rate_limited"
    status = 429

    def __init__(self, whose: str, seconds: float) -> None:
        super().__init__(f"this {whose} sends too much")
        self.retry_after_seconds = max(1, math.ceil(seconds))


class Buckets:
    """A bucket a name: filled at a rate, up to a burst. It may owe, and then takes nothing."""

    def __init__(self, per_second: float, burst: float, monotonic: Monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}  # what was in it, and when

    def take(self, name: str, amount: int) -> float:
        """0; or, where it is empty, nothing is taken, and how many seconds to wait."""
        now = self._now()
        level = self._level(name, now)
        if level <= 0:
            return (1 - level) / self._per_second
        if len(self._buckets) >= KEPT_BUCKETS and name not in self._buckets:
            self._forget(now)
        self._buckets[name] = (level - amount, now)
        return 0.0

    def owe(self, name: str, amount: int) -> None:
        """Take it, even if it is more than there is."""
        now = self._now()
        self._buckets[name] = (self._level(name, now) - amount, now)

    def _level(self, name: str, now: float) -> float:
        level, at = self._buckets.get(name, (self._burst, now))
        return min(self._burst, level + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        """The full ones; where none is, the older half: to forgive is better than to grow."""
        waiting = {n: b for n, b in self._buckets.items() if self._level(n, now) < self._burst}
        if len(waiting) >= KEPT_BUCKETS:
            waiting = dict(list(waiting.items())[KEPT_BUCKETS // 2 :])
        self._buckets = waiting


class Limits:
    """Events a key, and events an address under keys that are public. Webhooks are events too."""

    def __init__(
        self, settings: LimitSettings, trusted_proxies: Sequence[str], monotonic: Monotonic
    ) -> None:
        self._trusted = [ip_network(network, strict=False) for network in trusted_proxies]
        self._keys = Buckets(settings.key_per_second, settings.key_burst, monotonic)
        self._addresses = Buckets(settings.address_per_second, settings.address_burst, monotonic)

    def address(self, scope: Scope) -> str | None:
        """Whose limit counts. None for private ones: ourselves, or a proxy nobody told us of."""
        return limited_address(client_address(scope, self._trusted))

    def let_in(self, key: str, address: str | None) -> None:
        """One more request, before its body is read. Raises RateLimited."""
        if address is not None and (wait := self._addresses.take(address, 1)):
            raise RateLimited("address", wait)
        if wait := self._keys.take(key, 1):
            raise RateLimited("key", wait)

    def charge(self, key: str, address: str | None, events: int) -> None:
        """When it is known how much more it was: a request that was let in is taken whole."""
        self._keys.owe(key, events)
        if address is not None:
            self._addresses.owe(address, events)
