"""Nine documents of each collection that is read whole."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest_service.projector.visitor import Visitor
from ingest_service.projector.visitor_codec import encode_visitor
from sender_service.models.sums import Sums, encode_sums
from sender_service.pages.document import page_id
from sender_service.store.send_codec import encode_send
from shared.mongo.client import Document
from tests.support.sends import build_send

MANY = 9
NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = [f"n{number}" for number in range(MANY)]


def planted() -> dict[str, list[Document]]:
    pages = [planted_page("s", n) for n in range(MANY)]
    return {
        "visitors": [
            dict(encode_visitor(Visitor(n, "demo", n, persons=["eva"]))) for n in NAMES
        ],
        "players": [
            {"_id": n, "app": "demo", "person": "eva", "changedAt": NOW,
             "previous": [{"person": "adam", "until": NOW}]} for n in NAMES
        ],
        "profiles": [
            {"_id": n, "app": "demo", "slot": 7, "login": n, "email": "e@shop.cz",
             "lastSeenAt": NOW, "visitors": [n], "changedAt": NOW} for n in NAMES
        ],
        "merges": [{"_id": n, "app": "demo", "person": "eva"} for n in NAMES],
        "pages": pages,
        "sends": [
            encode_send(build_send(n, NOW, campaign="c", expire_at=NOW)) for n in NAMES
        ],
        "parts": [{"_id": n, "send": "s", "recipients": []} for n in NAMES],
        "parked": [{"_id": n, "event": {"playerId": "p"}} for n in NAMES],
        "dead_letters": [
            {"_id": n, "topic": "t", "code": "c", "at": NOW, "key": "k", "value": "v"}
            for n in NAMES
        ],
        "audit": [{"_id": n, "target": {"person": "eva"}, "at": NOW} for n in NAMES],
        "interactions": [
            {"_id": p["_id"], "send": "s", "counts": {"impression": 1, "click": 1, "close": 1}}
            for p in pages
        ],
    }  # fmt: skip


def planted_page(send: str, n: int) -> Document:
    sums = encode_sums(Sums(audience=1, sent=1))
    chunk = {"state": "sent", "reason": None, "at": NOW, "notificationId": "m", "variant": "a"}
    return {
        "_id": page_id(send, n), "send": send, "app": "demo", "number": n, "resumeAt": [n, ""],
        "priority": "marketing", "dueAt": NOW, "answerDueAt": NOW, "open": False, "inFlight": 1,
        "anyAttempted": False, "members": [[f"p{n}", "eva", "0"]],
        "outcomes": {}, "chunks": {"0": chunk},
        "sums": sums, "notifications": [f"m{n}"], "plannedAt": NOW,
    }  # fmt: skip
