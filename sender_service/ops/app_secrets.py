"""Secrets that a received app lacks: absent or masked, with no stored value to keep.

The raw body is searched, valid or not, so that one answer names all its faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shared.errors import FieldError, InvalidPayload
from shared.models.app import App, KeyKind
from shared.secrets import MASK

Kept = set[tuple[str, KeyKind]] | set[tuple[str, str]]
NOT_A_HOOK = "is none of the app's webhook keys: its webhooks would be refused"


def find_absent_secrets(value: object, before: App | None) -> list[FieldError]:
    """Return an error for each absent secret. A body that is no object has none here."""
    if not isinstance(value, dict):
        return []
    kept = {(key.id, key.kind) for key in before.keys} if before else set()
    return [
        *_rest_key(value, before),
        *_keys(value, kept),
        *_login_secret(value, before),
        *_snippet_key(value, kept),
    ]


def _rest_key(value: dict[str, Any], before: App | None) -> Iterator[FieldError]:
    one_signal = value.get("oneSignal")
    if before is None and isinstance(one_signal, dict):
        given = one_signal.get("restApiKey")
        if given in (None, MASK):
            yield absent("oneSignal.restApiKey", given)


def _keys(value: dict[str, Any], kept: Kept) -> Iterator[FieldError]:
    for name, kind, given in _written_keys(value):
        if given in (None, MASK) and (name, kind) not in kept:
            yield absent(f"keys.{name[:64]}.key", given)


def _snippet_key(value: dict[str, Any], kept: Kept) -> Iterator[FieldError]:
    """Yield an error where the snippet's webhook key is none of the received keys."""
    # Stored keys are hashes: `AppContentBuilder` compares those.
    snippet = value.get("snippet")
    webhook_key = snippet.get("webhookKey") if isinstance(snippet, dict) else None
    hooks = [(name, given) for name, kind, given in _written_keys(value) if kind == "webhook"]
    if not isinstance(webhook_key, str) or any((name, "webhook") in kept for name, _ in hooks):
        return
    if webhook_key not in [given for _, given in hooks]:
        yield FieldError("body.snippet.webhookKey", "unknown_key", NOT_A_HOOK)


def _written_keys(value: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (id, kind, key) of each that has the first two."""
    keys = value.get("keys")
    for key in keys if isinstance(keys, list) else ():
        read = key if isinstance(key, dict) else {}
        name, kind = read.get("id"), read.get("kind")
        if isinstance(name, str) and isinstance(kind, str):
            yield name, kind, read.get("key")


def _login_secret(value: dict[str, Any], before: App | None) -> Iterator[FieldError]:
    proof = value.get("loginHash")
    given = proof.get("secret") if isinstance(proof, dict) else None
    if given == MASK and (before is None or before.login_hash.secret is None):
        yield absent("loginHash.secret", given)


def absent(field: str, given: object) -> FieldError:
    if given == MASK:
        text = (
            "is masked, as answers show it, and this app has none stored: write the secret itself"
        )
        return FieldError(f"body.{field}", "masked", text)
    return FieldError(
        f"body.{field}", "missing", "is required: nothing is stored that it could stay"
    )


def invalid(found: Sequence[FieldError]) -> InvalidPayload:
    return InvalidPayload(f"{found[0].field}: {found[0].message}", errors=found)
