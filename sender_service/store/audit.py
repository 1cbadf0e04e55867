"""The `audit` collection: requests that changed or showed something; no bodies, no personal data."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.models.access import Apps, Principal
from sender_service.models.send import EVER
from sender_service.store.recent import Span, newest_of, of_apps
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import AUDIT

AUDIT_RETENTION = timedelta(days=400)  # a year, and time to look back at it


@dataclass(frozen=True)
class AuditEntry:
    """A request that changed something or showed personal data."""

    who: Principal
    method: str
    route: str  # the template: what stands in its places is in `target`
    target: dict[str, str]
    status: int
    at: datetime
    app: str | None = None  # what is about no app, or several, is for `all` to see
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class AuditStore:
    """Stores audit entries. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._audit = database[AUDIT.name]

    async def add(self, entry: AuditEntry) -> None:
        document = {
            "at": entry.at, "app": entry.app, "method": entry.method, "route": entry.route,
            "target": entry.target, "status": entry.status, "expireAt": entry.at + AUDIT_RETENTION,
            "who": {"id": entry.who.id, "name": entry.who.name, "role": entry.who.role},
        }  # fmt: skip
        with translate_mongo_errors():
            await self._audit.insert_one({"_id": entry.id, **document})

    async def newest(
        self, since: datetime | None, before: datetime, limit: int, apps: Apps = None
    ) -> list[AuditEntry]:
        """Return the entries of these apps in [since, before), newest first."""
        span = Span("at", since or EVER, before)
        found = await newest_of(
            self._audit, of_apps(apps), span, limit=limit, fields={"expireAt": 0}
        )
        return [_decode(document) for document in found]


def _decode(document: Document) -> AuditEntry:
    who = document["who"]
    return AuditEntry(
        who=Principal(who["id"], who["name"], who["role"]),
        method=document["method"],
        route=document["route"],
        target=document["target"],
        status=document["status"],
        at=document["at"],
        app=document["app"],
        id=document["_id"],
    )
