"""Ledger entries as stored documents, and back (shared/documents/player.py)."""

from __future__ import annotations

from ingest_service.projector.lww import Stamp, stamp
from ingest_service.projector.player import Claim, LedgerEntry, PlayerStatus, StatusChange
from shared.documents.player import (
    Claim as StoredClaim,
)
from shared.documents.player import (
    Player,
    PlayerStatusFields,
    StampFields,
    StatusChangeFields,
)


def decode_entry(stored: Player) -> LedgerEntry:
    rival, report = stored["rival"], stored["report"]
    return LedgerEntry(
        stored["_id"],
        stored["app"],
        stored["rev"],
        decode_claim(stored),
        None if rival is None else decode_claim(rival),
        None if report is None else decode_change(report),
        [decode_change(change) for change in stored["history"]],
        stored["previous"],
        stored["lastSeenAt"],
        stored["state"],
        stored["reason"],
        stored["since"],
        stored["sdk"],
        stored["browser"],
        stored["changedAt"],
        stored.get("provider"),
        stored.get("subscription"),
    )


def encode_entry(entry: LedgerEntry) -> Player:
    claim, rival, report = entry.claim, entry.rival, entry.report
    stored: Player = {
        "_id": entry.id,
        "app": entry.app,
        "rev": entry.rev,
        "person": claim.person,
        "previous": entry.previous,
        "visitor": claim.visitor,
        "proven": claim.proven,
        "status": encode_status(claim.status),
        "rival": None if rival is None else encode_claim(rival),
        "report": None if report is None else encode_report(report),
        "history": [encode_change(change) for change in entry.history],
        "lastSeenAt": entry.last_seen_at,
        "state": entry.state,
        "reason": entry.reason,
        "since": entry.since,
        "sdk": entry.sdk,
        "browser": entry.browser,
        "changedAt": entry.changed_at,
    }
    if entry.provider is not None:
        stored["provider"] = entry.provider
    if entry.subscription is not None:
        stored["subscription"] = entry.subscription
    return stored


def decode_claim(stored: StoredClaim) -> Claim:
    status = decode_status(stored["status"])
    return Claim(stored["visitor"], stored["person"], stored["proven"], status)


def encode_claim(claim: Claim) -> StoredClaim:
    return {
        "visitor": claim.visitor,
        "person": claim.person,
        "proven": claim.proven,
        "status": encode_status(claim.status),
    }


def decode_status(stored: PlayerStatusFields) -> PlayerStatus:
    proof = stored.get("proof")
    return PlayerStatus(
        stored["id"],
        stored["status"],
        stored["state"],
        stored["reason"],
        stored["permission"],
        stored["sdk"],
        stored["browser"],
        stored["at"],
        stored["event"],
        stored.get("received"),
        stored.get("offset", 0),
        None if proof is None else stamp(proof),
        stored.get("since"),
    )


def encode_status(status: PlayerStatus) -> PlayerStatusFields:
    stored: PlayerStatusFields = {
        "id": status.id,
        "status": status.status,
        "state": status.state,
        "reason": status.reason,
        "permission": status.permission,
        "sdk": status.sdk,
        "browser": status.browser,
        "at": status.at,
        "event": status.event,
    }
    if status.received is not None:
        stored["received"], stored["offset"] = status.received, status.offset
    if status.proof is not None:
        stored["proof"] = encode_stamp(status.proof)
    if status.since is not None:
        stored["since"] = status.since
    return stored


def decode_change(stored: StatusChangeFields) -> StatusChange:
    return StatusChange(
        stored["state"],
        stored["reason"],
        stored.get("person"),
        stored["at"],
        stored["event"],
        stored.get("received"),
        stored.get("offset", 0),
    )


def encode_change(change: StatusChange) -> StatusChangeFields:
    stored = encode_report(change)
    stored["person"] = change.person
    return stored


def encode_report(report: StatusChange) -> StatusChangeFields:
    stored: StatusChangeFields = {
        "state": report.state,
        "reason": report.reason,
        "at": report.at,
        "event": report.event,
    }
    if report.received is not None:
        stored["received"], stored["offset"] = report.received, report.offset
    return stored


def encode_stamp(value: Stamp) -> StampFields:
    at, received, offset, event = value
    return {"at": at, "event": event, "received": received, "offset": offset}
