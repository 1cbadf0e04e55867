"""Networks of client addresses, the keys of rate limits. Pure."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

UNKNOWN_NETWORK = "unknown"  # also a proxy's own name for it, and all other text that is no address
HOUSEHOLD_BITS = 64  # of IPv6: what one household or server has to itself
SITE_BITS = 48  # what a customer gets who asks for more: 65,536 households
MAX_ADDRESS_LENGTH = 64  # an address with a port and brackets has 49 characters
NETWORKS_CACHE_SIZE = 10_000


def name_networks(address: str) -> tuple[str, ...]:
    """Return an IPv4 address as it is, an IPv6 address as its /64 and its /48."""
    return _name(address[:MAX_ADDRESS_LENGTH])


@lru_cache(NETWORKS_CACHE_SIZE)
def _name(address: str) -> tuple[str, ...]:
    ip = _parse(address)
    if ip is None:
        return (UNKNOWN_NETWORK,)
    if isinstance(ip, ipaddress.IPv4Address):
        return (str(ip),)
    household, site = (
        ipaddress.ip_network((int(ip), bits), strict=False) for bits in (HOUSEHOLD_BITS, SITE_BITS)
    )
    return str(household), str(site)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address with or without a port; a dual-stack socket's `::ffff:8.8.8.8` is 8.8.8.8."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
