"""What a page may see of its visitor, read from MongoDB."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.profile import view
from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.collections import VISITORS


class MongoVisitorViews:
    """Only what came under this visitor id; a person's other browsers are not this page's business."""

    def __init__(self, database: Database, people: PersonIds) -> None:
        self._visitors = database[VISITORS.name]
        self._people = people

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        """Raises StoreUnavailable."""
        with translate_mongo_errors():
            found = await self._visitors.find_one(
                {"_id": self._people.of_browser(app, visitor)}, {"players": 1}
            )
        db = view(found["players"] if found is not None else [])
        return {**db, "oneSignal": {k: _told(v) for k, v in db["oneSignal"].items()}}


def _told(value: Any) -> Any:
    """Moments as everywhere on the wire: UTC, milliseconds, Z."""
    if not isinstance(value, datetime):
        return value
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
