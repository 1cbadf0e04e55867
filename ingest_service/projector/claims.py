"""Claims of browsers to a player, and the choice of its owner. Pure, and independent of order.

A player is one browser's. Two browsers that name one are mostly the same browser: its cookies were
cleared, so that it got another visitor id. A page may also name a player whose id it only read. So:

- the last browser that proved a login while it had the player keeps it, while that person is
  logged in there (docs/decisions/0046);
- otherwise it belongs to the browser that reported it last.

Two claims decide everything: the last one, and the last one with a proof. The ledger's document has
the ruling one in its own fields, and the other one as its `rival`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingest_service.projector.lww import Document, stamp

FIELDS = ("visitor", "person", "proven", "status")
NOBODY = ""
ERASED_MERGE = "erased"
PREVIOUS_OWNERS = 5


def claims_of(known: Document) -> Iterator[Document]:
    """Yield the claims in the ledger's document, the ruling one first."""
    yield {name: known.get(name, False) for name in FIELDS}
    if known.get("rival") is not None:
        yield known["rival"]


def with_claims(known: Document, claims: Iterable[Document], now: datetime) -> Document:
    """Return the ledger's document with the owner that these claims decide."""
    claims = list(claims)
    last = max(claims, key=_by_status)
    prover = max((c for c in claims if c["status"].get("proof")), key=_by_proof, default=last)
    ruling, other = (prover, last) if prover["proven"] else (last, prover)
    changed = {**known, **ruling, "rival": other if other is not ruling else None}
    # Activity of any claimant counts; otherwise it would depend on the order of claims.
    changed["lastSeenAt"] = max(known["lastSeenAt"], last["status"]["at"])
    if ruling["status"]["state"] == ERASED_MERGE:
        changed |= {"previous": [], "lastSeenAt": ruling["status"]["at"]}
    elif ruling["person"] != known["person"] != NOBODY:
        former = {"person": known["person"], "until": now}
        changed["previous"] = [*known["previous"], former][-PREVIOUS_OWNERS:]
    return changed


def _by_status(claim: Document) -> tuple[Any, ...]:
    return (*stamp(claim["status"]), claim["visitor"])


def _by_proof(claim: Document) -> tuple[Any, ...]:
    return (*stamp(claim["status"]["proof"]), claim["visitor"])
