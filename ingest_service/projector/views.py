"""What a page may see of its visitor, read from MongoDB."""

from __future__ import annotations

from typing import Any

from ingest_service.projector.profile import view
from ingest_service.projector.visitor import visitor_key
from shared.collections import VISITORS
from shared.mongo import Database, translate_mongo_errors


class MongoVisitorViews:
    """Only what came under this visitor id; a person's other browsers are not this page's business."""

    def __init__(self, database: Database) -> None:
        self._visitors = database[VISITORS.name]

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        """Raises StoreUnavailable."""
        with translate_mongo_errors():
            found = await self._visitors.find_one(
                {"_id": visitor_key(app, visitor)}, {"players": 1}
            )
        return view(found["players"] if found is not None else [])
