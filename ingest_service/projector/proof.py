"""Proofs of logins: an HMAC, which ingest checks, or a server's key. Pure.

A proof is stored in the epoch that it began, and with the players that the browser had then.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest_service.projector.lww import Stamp, stamp_of
from ingest_service.projector.player import PlayerStatus
from shared.events.payloads import IdentifyPayload
from shared.events.registry import payload_of
from shared.models.event import Event


def is_proof(event: Event) -> bool:
    """Return whether the event's login or email is proven.

    An import's login isn't: it comes from OneSignal's external id, which any page may set.
    """
    return payload_of(event, IdentifyPayload).get("proven", event.source == "server")


def prove(event: Event, players: Iterable[PlayerStatus]) -> None:
    """Store the event as the last proof of the browser's players."""
    proof = stamp_of(event)
    for status in players:
        status.proof = last_proof(status.proof, proof)


def last_proof(*proofs: Stamp | None) -> Stamp | None:
    return max((proof for proof in proofs if proof is not None), default=None)
