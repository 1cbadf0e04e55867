"""What is proven: by a login's HMAC, which ingest checks, or by a server's key. Pure.

A proof is remembered where it was made: in the epoch that it began, and at the players that the
browser had under it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest_service.projector.lww import Document, latest, stamped
from shared.models.event import Event


def is_proof(event: Event) -> bool:
    """Return whether what the event says of a person is proven.

    An import's login isn't: it is as good as OneSignal's external id, which any page may set.
    """
    return bool(event.data.get("proven", event.source == "server"))


def is_proven(epoch: Document) -> bool:
    return bool(epoch.get("proven"))


def was_proven(epoch: Document) -> bool:
    """Return whether it, or an older epoch that went into it, was proven."""
    return is_proven(epoch) or bool(epoch.get("wasProven"))


def prove(event: Event, players: Iterable[Document]) -> None:
    """Note at the browser's players the last proof under which it had them."""
    for entry in players:
        entry["proof"] = latest([entry.get("proof"), stamped(event)])


def carry_proof(old: Document | None, entry: Document) -> None:
    """Keep a proof when a newer word on the player takes the place of an older one."""
    proof = latest([old and old.get("proof"), entry.get("proof")])
    if proof is not None:
        entry["proof"] = proof
