"""A request's head, once it is there: is it one that we serve, and in which protocol."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]


BLANKS = b" \t"  # around a header's value they mean nothing (RFC 9110, 5.5)
LAST_BLANK = 32  # the space; the parser lets no control character but the tab through


def is_servable(version: str, headers: Headers) -> bool:
    """Check for one host (HTTP/1.0 knows none) and for a version that we speak; trim values.

    The parser trims before values only. One pass, since every request pays for it.
    """
    hosts = 0
    for index, (name, value) in enumerate(headers):
        if name == b"host":
            hosts += 1
        if value and value[-1] <= LAST_BLANK:
            headers[index] = (name, value.rstrip(BLANKS))
    return hosts == 1 if version == "1.1" else version == "1.0" and hosts <= 1


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
