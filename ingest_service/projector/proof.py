"""Proofs of logins: an HMAC, which ingest checks, or a server's key. Pure.

A proof is stored in the epoch that it began, and with the players that the browser had then.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest_service.projector.lww import Document, latest, stamped
from shared.models.event import Event


def is_proof(event: Event) -> bool:
    """Return whether the event's login or email is proven.

    An import's login isn't: it comes from OneSignal's external id, which any page may set.
    """
    return bool(event.data.get("proven", event.source == "server"))


def is_proven(epoch: Document) -> bool:
    return bool(epoch.get("proven"))


def was_proven(epoch: Document) -> bool:
    """Return whether the epoch, or an older one that was merged into it, was proven."""
    return is_proven(epoch) or bool(epoch.get("wasProven"))


def prove(event: Event, players: Iterable[Document]) -> None:
    """Store the event as the last proof of the browser's players."""
    for entry in players:
        entry["proof"] = latest([entry.get("proof"), stamped(event)])


def carry_proof(old: Document | None, entry: Document) -> None:
    """Keep the last proof when a newer status of the player replaces an older one."""
    proof = latest([old and old.get("proof"), entry.get("proof")])
    if proof is not None:
        entry["proof"] = proof
