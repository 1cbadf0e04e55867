"""Visitors as stored documents, and back (shared/documents/visitor.py)."""

from __future__ import annotations

from ingest_service.projector.lww import stamp
from ingest_service.projector.player import StatusMark
from ingest_service.projector.player_codec import (
    decode_change,
    decode_status,
    encode_change,
    encode_stamp,
    encode_status,
)
from ingest_service.projector.visitor import Epoch, ErasedPlayer, Erasure, Unmerge, Visitor
from shared.documents import visitor as documents


def decode_visitor(stored: documents.Visitor) -> Visitor:
    erased, histories = stored.get("erased"), stored["statusHistory"]
    return Visitor(
        stored["_id"],
        stored["app"],
        stored["visitor"],
        stored["rev"],
        [decode_epoch(epoch) for epoch in stored["epochs"]],
        [decode_status(status) for status in stored["players"]],
        {p: [decode_change(c) for c in changes] for p, changes in histories.items()},
        stored["persons"],
        stored["seenEvents"],
        stored["seenBoundaries"],
        None if erased is None else decode_erasure(erased),
        stored.get("nextEpochFrom"),
    )


def decode_head(stored: documents.VisitorHead) -> Visitor:
    """Decode a visitor that was read without its large fields. It must not be written."""
    return Visitor(
        stored["_id"],
        stored["app"],
        stored["visitor"],
        epochs=[decode_epoch(epoch) for epoch in stored["epochs"]],
        persons=stored["persons"],
        next_epoch_from=stored.get("nextEpochFrom"),
    )


def encode_visitor(visitor: Visitor) -> documents.Visitor:
    histories = visitor.status_history.items()
    stored: documents.Visitor = {
        "_id": visitor.id,
        "app": visitor.app,
        "visitor": visitor.visitor_id,
        "rev": visitor.rev,
        "epochs": [encode_epoch(epoch) for epoch in visitor.epochs],
        "players": [encode_status(status) for status in visitor.players],
        "statusHistory": {p: [encode_change(c) for c in changes] for p, changes in histories},
        "persons": visitor.persons,
        "seenEvents": visitor.seen_events,
        "seenBoundaries": visitor.seen_boundaries,
    }
    if visitor.erased is not None:
        stored["erased"] = encode_erasure(visitor.erased)
    if visitor.next_epoch_from is not None:
        stored["nextEpochFrom"] = visitor.next_epoch_from
    return stored


def decode_epoch(stored: documents.EpochFields) -> Epoch:
    return Epoch(
        stored["openedBy"],
        stored["login"],
        stored["anonymousId"],
        stored["identifiedAt"],
        stored["contribution"],
        stored["proven"],
        stored.get("wasProven", False),
        [decode_unmerge(unmerge) for unmerge in stored.get("unmerged", ())],
        stored.get("neverMergeWith", []),
    )


def encode_epoch(epoch: Epoch) -> documents.EpochFields:
    stored: documents.EpochFields = {
        "openedBy": epoch.opened_by,
        "login": epoch.login,
        "anonymousId": epoch.anonymous_id,
        "identifiedAt": epoch.identified_at,
        "contribution": epoch.contribution,
        "proven": epoch.proven,
    }
    if epoch.was_proven:
        stored["wasProven"] = True
    if epoch.unmerged:
        stored["unmerged"] = [encode_unmerge(unmerge) for unmerge in epoch.unmerged]
    if epoch.never_merge_with:
        stored["neverMergeWith"] = epoch.never_merge_with
    return stored


def decode_unmerge(stored: documents.UnmergeFields) -> Unmerge:
    return Unmerge(stored["person"], stored["at"], stored["event"], stored["undone"])


def encode_unmerge(unmerge: Unmerge) -> documents.UnmergeFields:
    return {
        "person": unmerge.person,
        "at": unmerge.at,
        "event": unmerge.event,
        "undone": unmerge.undone,
    }


def decode_erasure(stored: documents.ErasureFields) -> Erasure:
    players = [_decode_erased(player) for player in stored["players"]]
    return Erasure(stored["at"], stored["event"], players, stored["persons"])


def encode_erasure(erasure: Erasure) -> documents.ErasureFields:
    return {
        "at": erasure.at,
        "event": erasure.event,
        "players": [_encode_erased(player) for player in erasure.players],
        "persons": erasure.persons,
    }


def _decode_erased(stored: documents.ErasedPlayer) -> ErasedPlayer:
    proof = stored.get("proof")
    mark = StatusMark(stamp(stored), None if proof is None else stamp(proof))
    return ErasedPlayer(stored["id"], mark)


def _encode_erased(player: ErasedPlayer) -> documents.ErasedPlayer:
    at, received, offset, event = player.mark.stamp
    stored: documents.ErasedPlayer = {
        "id": player.id,
        "at": at,
        "event": event,
        "received": received,
        "offset": offset,
    }
    if player.mark.proof is not None:
        stored["proof"] = encode_stamp(player.mark.proof)
    return stored
