"""Who may call the ops API: whoever has the bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import Request

from shared.errors import Unauthorized


def bearer(token: str) -> Callable[[Request], None]:
    """A dependency that raises Unauthorized without `Authorization: Bearer <token>`."""
    expected = token.encode()

    def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Compared whole and in constant time, also when the scheme is missing.
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), expected)
        if scheme.lower() != "bearer" or not same:
            raise Unauthorized("a valid bearer token is required")

    return check
