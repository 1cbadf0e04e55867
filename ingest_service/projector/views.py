"""Views of visitors for their pages, read from MongoDB."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player_codec import decode_status
from ingest_service.projector.profile import view
from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.collections import VISITORS


class MongoVisitorViews:
    """Views of one visitor id's data, without the person's other browsers."""

    def __init__(self, database: Database, people: PersonIds) -> None:
        self._visitors = database[VISITORS.name]
        self._people = people

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        """Return the view. Raises StoreUnavailable."""
        with translate_mongo_errors():
            found = await self._visitors.find_one(
                {"_id": self._people.of_browser(app, visitor)}, {"players": 1}
            )
        db = view(map(decode_status, found["players"]) if found is not None else [])
        return {**db, "oneSignal": {k: _to_wire(v) for k, v in db["oneSignal"].items()}}


def _to_wire(value: Any) -> Any:
    """Return times as text in UTC, with milliseconds and Z; other values unchanged."""
    if not isinstance(value, datetime):
        return value
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
