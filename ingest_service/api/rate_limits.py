"""Rate limits of keys and addresses: token buckets in this process's memory.

Each process counts for itself, so n replicas allow n times as much: the limits are there to keep one
sender from using all capacity, not to meter. docs/decisions/0044 has the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple, NoReturn

from starlette.types import Scope

from ingest_service.api.client_networks import (
    MAX_ADDRESS_LENGTH,
    NETWORKS_CACHE_SIZE,
    name_networks,
)
from shared.clock import Monotonic
from shared.errors import Unavailable
from shared.http.heads import header_values
from shared.http.responses import FORWARDED_FOR, is_private, origin_address
from shared.settings import LimitSettings

KEPT_BUCKETS = 50_000  # a bucket that is full again is as good as none
NETWORK_SHARES = 10  # an IPv6 /48 may send as much as so many of its /64
UNVERIFIED_SHARE = 0.1  # of a key's limit, for an address that only an unlisted proxy vouches for
BYTES_PER_UNIT = 1024  # an event of a page has 300 to 900
OBJECTS_PER_UNIT = 16  # and lists; an event has four, and one more for each line of a basket
SMALL_BYTES = 512  # has no room for what would cost more than the request itself
READ_BYTES_PER_UNIT = 32 * 1024  # to receive and unpack costs so much less than to validate


class RateLimited(Unavailable):
    """Too many requests; the same one is accepted later."""

    code = "rate_limited"
    status = 429

    def __init__(self, whose: str, seconds: float) -> None:
        super().__init__(f"this {whose} sends too much")
        self.retry_after_seconds = max(1, math.ceil(seconds))


class TokenBuckets:
    """Buckets by name, each filled at a rate, up to a burst. A bucket's debt is one burst at most."""

    def __init__(self, per_second: float, burst: float, monotonic: Monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}  # its level, and when

    def seconds_until(self, name: str, amount: float, paid: float = 0) -> float:
        """Return how long to wait for the rest of `amount`, of which `paid` was taken; 0 if not.

        More than a burst is never there: such an amount waits for a full bucket, and owes the rest.
        """
        missing = min(amount, self._burst) - paid - self._level(name, self._now())
        return missing / self._per_second if missing > 0 else 0.0

    def take(self, name: str, amount: float) -> None:
        now = self._now()
        self._take(name, self._level(name, now) - amount, now)

    def is_open(self, name: str) -> bool:
        """Check for one unit."""
        known = self._buckets.get(name)  # not by `_level`: each request comes here
        if known is None:
            return True
        level = known[0] + (self._now() - known[1]) * self._per_second
        return level >= 1 or level >= self._burst

    def take_if_there(self, name: str, amount: float) -> bool:
        """Take the amount if no wait is needed; return whether it was taken."""
        known = self._buckets.get(name)
        if known is None:
            self.take(name, amount)
            return True
        now, burst = self._now(), self._burst
        level = known[0] + (now - known[1]) * self._per_second
        if level > burst:
            level = burst
        if level < amount and level < burst:
            return False
        level -= amount
        self._buckets[name] = (level if level > -burst else -burst, now)
        return True

    def _take(self, name: str, level: float, now: float) -> None:
        if len(self._buckets) >= KEPT_BUCKETS and name not in self._buckets:
            self._forget(now)
        self._buckets[name] = (level if level > -self._burst else -self._burst, now)

    def _level(self, name: str, now: float) -> float:
        level, at = self._buckets.get(name, (self._burst, now))
        return min(self._burst, level + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        """Drop full buckets; if that isn't enough, drop the older half, so that memory is bounded."""
        waiting = {n: b for n, b in self._buckets.items() if self._level(n, now) < self._burst}
        if len(waiting) >= KEPT_BUCKETS:
            waiting = dict(list(waiting.items())[KEPT_BUCKETS // 2 :])
        self._buckets = waiting


class Payer(NamedTuple):
    """One bucket that pays for a request; the error message has its `kind`."""

    kind: str
    buckets: TokenBuckets
    name: str


class RequestCharge:
    """The cost of one request, in units: an event, or as many bytes or objects as one may have.

    The address pays for all that is read, the key only for what is accepted.
    A method that raises RateLimited has taken nothing from the key.
    """

    __slots__ = ("_addresses", "_key", "_paid", "_size")

    def __init__(self, key: Payer, addresses: Sequence[Payer]) -> None:
        """Pay for a request's head. Raises RateLimited."""
        self._key = key
        self._addresses = addresses
        self._paid = self._size = 1
        if not key.buckets.is_open(key.name):
            self._refuse(key, 1)
        for payer in addresses:
            if not payer.buckets.take_if_there(payer.name, 1):
                self._refuse(payer, 1)

    def check(self) -> None:
        """Check that the key and the address have a unit left. Raises RateLimited."""
        self._check(1, 0)

    def pay_for_body(self, body: bytes) -> None:
        """Pay for a body before it is parsed. Raises RateLimited."""
        if len(body) < SMALL_BYTES:
            return
        objects = body.count(b"{") + body.count(b"[")
        self._size = max(1, len(body) // BYTES_PER_UNIT, objects // OBJECTS_PER_UNIT)
        if self._size > self._paid:
            self._check(self._size, self._paid, read=len(body))
            self._pay(self._size - self._paid)

    def pay_for_reading(self, size: int) -> None:
        """Pay for bytes that were received or unpacked in vain."""
        self._pay(size // READ_BYTES_PER_UNIT)

    def pay_for_events(self, events: int = 1) -> None:
        """Pay what is left, and let the key pay for all of it. Raises RateLimited."""
        total = max(events, self._size)
        if total > self._paid:
            self._check(total, self._paid)
            self._pay(total - self._paid)
        if not self._key.buckets.take_if_there(self._key.name, total):
            self._refuse(self._key, total)

    def _check(self, total: int, paid: int, read: int = 0) -> None:
        for payer in self._addresses:
            if payer.buckets.seconds_until(payer.name, total, paid):
                self._refuse(payer, total, read)
        if self._key.buckets.seconds_until(self._key.name, total):
            self._refuse(self._key, total, read)

    def _refuse(self, payer: Payer, total: int, read: int = 0) -> NoReturn:
        """Raise RateLimited with the time until the whole amount is available."""
        self.pay_for_reading(read)
        raise RateLimited(payer.kind, payer.buckets.seconds_until(payer.name, total))

    def _pay(self, amount: int) -> None:
        if amount:
            self._paid += amount
            for payer in self._addresses:
                payer.buckets.take(payer.name, amount)


class RateLimits:
    """Limits of units per key, and per address under public keys. Webhooks count as events."""

    def __init__(
        self, settings: LimitSettings, trusted_proxies: Sequence[str], monotonic: Monotonic
    ) -> None:
        def share(of: float) -> TokenBuckets:
            rate, burst = settings.address_per_second, settings.address_burst
            return TokenBuckets(rate * of, burst * of, monotonic)

        rate, burst = settings.key_per_second, settings.key_burst
        self._trusted = [ip_network(network, strict=False) for network in trusted_proxies]
        self._keys = TokenBuckets(rate, burst, monotonic)
        self._addresses, self._networks = share(1), share(NETWORK_SHARES)
        self._payers = lru_cache(NETWORKS_CACHE_SIZE)(self._name_payers)
        self._key_payer = lru_cache(1_024)(self._name_key)
        self._unverified = TokenBuckets(
            rate * UNVERIFIED_SHARE, max(1, burst * UNVERIFIED_SHARE), monotonic
        )

    def begin(self, key: str, scope: Scope | None) -> RequestCharge:
        """Charge a request for its head; without a scope its address has no limit.

        Raises RateLimited.
        """
        key_payer = self._key_payer(key)
        if scope is None:
            return RequestCharge(key_payer, ())
        forwarded = header_values(scope["headers"], FORWARDED_FOR)
        address = origin_address(scope, forwarded, self._trusted)[:MAX_ADDRESS_LENGTH]
        return RequestCharge(
            key_payer, self._payers(address) or self._unverified_payers(key, forwarded)
        )

    def _name_key(self, key: str) -> Payer:
        return Payer("key", self._keys, key)

    def _name_payers(self, address: str) -> tuple[Payer, ...]:
        """Return the buckets of an address; none for a private one."""
        # A private address is this service's own, or an own server's.
        if not address or is_private(address):
            return ()
        tables = (("address", self._addresses), ("network", self._networks))
        names = name_networks(address)
        return tuple(
            Payer(kind, table, name) for (kind, table), name in zip(tables, names, strict=False)
        )

    def _unverified_payers(self, key: str, forwarded: Sequence[bytes]) -> Sequence[Payer]:
        """Return the bucket of the client that an unlisted proxy forwards for, if any."""
        if not forwarded:
            return ()
        hop = forwarded[-1].rpartition(b",")[2].strip().decode("latin-1")
        return (Payer("address", self._unverified, f"{key} {name_networks(hop)[0]}"),)
