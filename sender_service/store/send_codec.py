"""Codec of sends: attributes of the models, and the names in the `sends` collection."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sender_service.models.malformed import BadName, Malformed
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.send import Parts, PlanningChanges, Send, SendOverview, SendRow
from sender_service.models.sums import decode_sums, encode_sums
from shared.ids import head_of
from shared.mongo.client import Document

OVERVIEW_FIELDS: Document = {"trigger": 0}
ROW_FIELDS: Document = {"trigger": 0, "campaignSnapshot": 0}
CHANGED_NAMES = {"campaign_snapshot": "campaignSnapshot", "pages_at_begin": "pagesAtBegin"}


def encode_send(send: Send) -> Document:
    """Return the document, without the optional fields that have no value."""
    document: Document = {
        "_id": send.id,
        "head": head_of(send.id),  # so that people may name a send by its first characters
        "app": send.app,
        "campaign": send.campaign,
        "priority": send.priority,
        "digest": send.digest,
        "parts": None if send.parts is None else encode_parts(send.parts),
        "trigger": send.trigger,
        "state": send.state,
        "paused": send.paused,
        "error": send.error,
        "warnings": send.warnings,
        "malformed": {part: encode_malformed(m) for part, m in send.malformed.items()},
        "campaignSnapshot": send.campaign_snapshot,
        "createdAt": send.created_at,
        "dueAt": send.due_at,
        "expiresAt": send.expires_at,
        "planDue": send.plan_due,
        "planner": send.planner,
        "begun": send.begun,
        "pagesAtBegin": send.pages_at_begin,
        "looks": send.looks,
        "pages": send.pages,
        "totals": None if send.totals is None else encode_sums(send.totals),
        "closedAt": send.closed_at,
        "expireAt": send.expire_at,
        "sealed": send.sealed,
        "rolledUp": send.rolled_up,
    }
    if send.test:
        document["test"] = True
    if send.sealed_at is not None:
        document["sealedAt"] = send.sealed_at
    if send.scenario is not None:
        document["scenario"] = asdict(send.scenario)
    return document


def decode_send(document: Document) -> Send:
    return Send(trigger=document["trigger"], **_overview(document), **_row(document))


def decode_overview(document: Document) -> SendOverview:
    """Decode a send that was read with OVERVIEW_FIELDS."""
    return SendOverview(**_overview(document), **_row(document))


def decode_row(document: Document) -> SendRow:
    """Decode a send that was read with ROW_FIELDS."""
    return SendRow(**_row(document))


def _row(document: Document) -> dict[str, Any]:
    return {
        "id": document["_id"],
        "app": document["app"],
        "campaign": document["campaign"],
        "priority": document["priority"],
        "state": document["state"],
        "paused": document["paused"],
        "error": document["error"],
        "created_at": document["createdAt"],
        "due_at": document["dueAt"],
        "expires_at": document["expiresAt"],
        "pages": document["pages"],
        "totals": None if document["totals"] is None else decode_sums(document["totals"]),
        "closed_at": document["closedAt"],
        "expire_at": document["expireAt"],
        "sealed": document["sealed"],
        "rolled_up": document["rolledUp"],
        "test": document.get("test", False),
        "sealed_at": document.get("sealedAt"),
        "scenario": _decode_scenario(document),
    }


def _decode_scenario(document: Document) -> ScenarioRef | None:
    found = document.get("scenario")
    return None if found is None else ScenarioRef(**found)


def _overview(document: Document) -> dict[str, Any]:
    parts = document["parts"]
    return {
        "digest": document["digest"],
        "parts": None if parts is None else decode_parts(parts),
        "malformed": {p: _decode_malformed(m) for p, m in document["malformed"].items()},
        "warnings": document["warnings"],
        "campaign_snapshot": document["campaignSnapshot"],
        "plan_due": document["planDue"],
        "planner": document["planner"],
        "begun": document["begun"],
        "pages_at_begin": document["pagesAtBegin"],
        "looks": document["looks"],
    }


def encode_malformed(malformed: Malformed) -> Document:
    names = [
        {"index": name.index, "code": name.code, "message": name.message}
        for name in malformed.names
    ]
    return {"count": malformed.count, "names": names}


def _decode_malformed(document: Document) -> Malformed:
    names = (BadName(n["index"], n["code"], n["message"]) for n in document["names"])
    return Malformed(document["count"], tuple(names))


def encode_parts(parts: Parts) -> Document:
    return {
        "total": parts.total,
        "sharedDigest": parts.shared_digest,
        "received": parts.received,
        "recipients": parts.recipients,
        "complete": parts.complete,
    }


def decode_parts(document: Document) -> Parts:
    return Parts(
        total=document["total"],
        shared_digest=document["sharedDigest"],
        received=document["received"],
        recipients=document["recipients"],
        complete=document["complete"],
    )


def encode_changes(changes: PlanningChanges) -> Document:
    return {CHANGED_NAMES.get(name, name): value for name, value in changes.items()}
