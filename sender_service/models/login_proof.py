"""Warnings about an app's login proof. Pure."""

from __future__ import annotations

from shared.errors import FieldError

OPTIONAL = FieldError(
    "loginHash.required",
    "login_proof_optional",
    "logins need no proof: whoever knows a login may be taken for that person in a browser",
)
NO_SECRET = FieldError(
    "loginHash.secret",
    "login_secret_missing",
    "no secret is stored: no browser can prove a login",
)
UNREADABLE = FieldError(
    "loginHash.secret",
    "login_secret_unreadable",
    "was encrypted under another CARILLON_SECRET_KEY: no browser can prove a login",
)


def check_login_proof(*, required: bool, has_secret: bool) -> list[FieldError]:
    """Return the warnings that an app's `loginHash` deserves."""
    return ([] if required else [OPTIONAL]) + ([] if has_secret else [NO_SECRET])
