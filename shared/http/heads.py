"""Head of a request: whether we serve it, and in which protocol."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

Headers = list[tuple[bytes, bytes]]

header_name = itemgetter(0)
_header_value = itemgetter(1)

BLANKS = b" \t"  # around a header's value they mean nothing (RFC 9110, 5.5)


def is_servable(version: str, headers: Headers) -> bool:
    """Check for one host (HTTP/1.0 knows none) and for a version that we speak; trim values.

    The parser trims before values only, and lets no control character but the tab through.
    Every request pays for this, hence no loop of Python's own.
    """
    hosts = [*map(header_name, headers)].count(b"host")
    values = b"\n".join([*map(_header_value, headers), b""])
    if b" \n" in values or b"\t\n" in values:
        headers[:] = [(name, value.rstrip(BLANKS)) for name, value in headers]
    return hosts == 1 if version == "1.1" else version == "1.0" and hosts <= 1


def header_values(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """Return the values of each header of a name; nearly all requests have none of a rare one."""
    if name not in map(header_name, headers):
        return []
    return [value for known, value in headers if known == name]


def without_upgrade(version: str, method: bytes, url: bytes, headers: Headers) -> bytes:
    """Return a head that asked for another protocol as one that doesn't.

    Java's client asks for HTTP/2 in its first request, as it may. There is no other protocol here,
    and the parser leaves out the body of a request that asks for one.
    """
    lines = [b"%s %s HTTP/%s" % (method, url, version.encode())]
    lines += [b"%s: %s" % pair for pair in headers if pair[0] != b"upgrade"]
    return b"\r\n".join([*lines, b"", b""])


def head_size(url: bytes, headers: Headers) -> int:
    """Return the bytes of a head that came in one piece, perhaps with a larger body."""
    return len(url) + sum(len(name) + len(value) for name, value in headers)
