"""Quota of a server's connections for one client address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_network

from shared.http.responses import is_within, rate_limit_key

PART = 4  # an address may have one in so many connections: offices and mobile networks share theirs


class ConnectionQuota:
    """Counts of connections by client. Private addresses and trusted proxies are exempt."""

    def __init__(self, connections: int, trusted_proxies: Sequence[str]) -> None:
        self._most = max(1, connections // PART)
        self._trusted = [ip_network(network, strict=False) for network in trusted_proxies]
        self._taken: Counter[str] = Counter()

    def take(self, address: str) -> str | None:
        """Count a connection; return its client key, None if exempt."""
        name = rate_limit_key(address)
        if name is None or is_within(address, self._trusted):
            return None
        self._taken[name] += 1
        return name

    def release(self, name: str) -> None:
        self._taken[name] -= 1
        if not self._taken[name]:
            del self._taken[name]

    def is_over(self, name: str) -> bool:
        return self._taken[name] > self._most
