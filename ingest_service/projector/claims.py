"""Claims of browsers to a player, and the choice of its owner. Pure, and independent of order.

A player is one browser's. Two browsers that name one are mostly the same browser: its cookies were
cleared, so that it got another visitor id. A page may also name a player whose id it only read. So:

- the last browser that proved a login while it had the player keeps it, while that person is
  logged in there (docs/decisions/0046);
- otherwise it belongs to the browser that reported it last.

Two claims decide everything: the last one, and the last one with a proof. The ledger's entry has
the ruling one as its `claim`, and the other one as its `rival`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest_service.projector.lww import Stamp
from ingest_service.projector.player import ERASED_PLAYER, NOBODY, Claim, LedgerEntry

PREVIOUS_OWNERS = 5


def with_claims(known: LedgerEntry, claims: Sequence[Claim], now: datetime) -> LedgerEntry:
    """Return the entry with the owner that these claims decide."""
    last = max(claims, key=_by_status)
    prover = max((c for c in claims if c.status.proof is not None), key=_by_proof, default=last)
    ruling, other = (prover, last) if prover.proven else (last, prover)
    changed = known.copy()
    changed.claim, changed.rival = ruling, other if other is not ruling else None
    # Activity of any claimant counts; otherwise it would depend on the order of claims.
    changed.last_seen_at = max(known.last_seen_at, last.status.at)
    if ruling.status.state == ERASED_PLAYER:
        changed.previous, changed.last_seen_at = [], ruling.status.at
    elif ruling.person != known.person != NOBODY:
        changed.previous = [*known.previous, {"person": known.person, "until": now}]
        changed.previous = changed.previous[-PREVIOUS_OWNERS:]
    return changed


def _by_status(claim: Claim) -> tuple[Stamp, str]:
    return claim.status.stamp, claim.visitor


def _by_proof(claim: Claim) -> tuple[Stamp, str]:
    assert claim.status.proof is not None
    return claim.status.proof, claim.visitor
