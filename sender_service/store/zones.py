"""Time zones that occur among an app's people."""

from __future__ import annotations

from shared.models.quiet_hours import own_zone
from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.collections import PROFILES


class ZoneReader:
    """Reads zones of profiles. Raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._profiles = database[PROFILES.name]

    async def of_app(self, app: str) -> set[str]:
        """Return the known zones of the app's people. It reads all of them."""
        with translate_mongo_errors():
            named = await self._profiles.distinct("timeZone", {"app": app})
        return {zone for zone in map(own_zone, named) if zone is not None}
