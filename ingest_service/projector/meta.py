"""Facts that the projectors of all processes share: one document each in `projector`."""

from __future__ import annotations

from typing import Any

from shared.mongo.client import Database
from shared.mongo.collections import PROJECTOR_META

ERASURES = "erasures"
LOG = "log"


async def increment_erasures(database: Database) -> None:
    await database[PROJECTOR_META.name].update_one(
        {"_id": ERASURES}, {"$inc": {"count": 1}}, upsert=True
    )


async def count_erasures(database: Database) -> int:
    """Return the number of erasures so far."""
    # A copy that was begun at another number contains erased data.
    found = await database[PROJECTOR_META.name].find_one({"_id": ERASURES})
    return int(found["count"]) if found else 0


async def note_log(database: Database, log_id: str) -> None:
    """Remember which log the collections follow, and which one it succeeded."""
    known = await database[PROJECTOR_META.name].find_one({"_id": LOG})
    if known is None or known["log"] != log_id:
        previous = known["log"] if known is not None else None
        document = {"log": log_id, "previousLog": previous}
        await database[PROJECTOR_META.name].replace_one({"_id": LOG}, document, upsert=True)


async def log_of(database: Database) -> tuple[str | None, str | None]:
    """Return the id of the log that the collections follow, and of the one before it."""
    found: dict[str, Any] | None = await database[PROJECTOR_META.name].find_one({"_id": LOG})
    return (found["log"], found["previousLog"]) if found else (None, None)
