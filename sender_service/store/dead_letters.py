"""The `dead_letters` collection: records that a stage couldn't handle, to inspect and replay."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import UpdateOne

from sender_service.models.access import Apps
from sender_service.models.send import EVER
from sender_service.store.recent import Span, newest_of, of_apps
from shared.ids import head_of
from shared.models.dead_letter import DeadLetter
from shared.mongo.client import Database, Document, retry_on_conflict, translate_mongo_errors
from shared.mongo.collections import DEAD_LETTERS

DEAD_LETTERS_RETENTION = timedelta(days=30)
MAX_APP_LENGTH = 64  # characters of an app's id
DEAD_LETTERS_A_WRITE = 8  # each may be megabytes: a small database's cache must hold them
CONTENT = {
    "value": 0,
    "key": 0,
    "expireAt": 0,
    "head": 0,
}  # what may be personal stays out of lists


@dataclass(frozen=True)
class DeadLetterQuery:
    """A filter of dead letters in [since, before); None matches all.

    A dead letter without an app matches no `apps`.
    """

    before: datetime
    since: datetime | None = None
    topic: str | None = None
    code: str | None = None
    apps: Apps = None

    @property
    def fields(self) -> Document:
        criteria = {"topic": self.topic, "code": self.code}
        given = {name: value for name, value in criteria.items() if value is not None}
        return {**given, **of_apps(self.apps)}


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A dead letter as stored. `key`, `value`: base64 of the record's bytes; None in lists."""

    id: str
    v: int
    app: str | None
    stage: str
    topic: str
    partition: int
    offset: int
    type: str
    truncated: bool
    code: str
    message: str
    at: datetime
    key: str | None
    value: str | None
    erased: bool | None
    replays: int | None
    replayed_at: datetime | None
    replayed_by: str | None


class DeadLetterStore:
    """Stores dead letters. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._dead_letters = database[DEAD_LETTERS.name]

    async def put(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Insert dead letters that are new; the id names the record. Existing ones stay."""
        writes = [
            UpdateOne(
                {"_id": dead_letter.id},
                {"$setOnInsert": _stored(dead_letter)},
                upsert=True,
            )
            for dead_letter in dead_letters
        ]
        with translate_mongo_errors():
            for start in range(0, len(writes), DEAD_LETTERS_A_WRITE):
                some = writes[start : start + DEAD_LETTERS_A_WRITE]
                await retry_on_conflict(
                    functools.partial(self._dead_letters.bulk_write, some, ordered=False)
                )

    async def newest(self, query: DeadLetterQuery, limit: int) -> list[StoredDeadLetter]:
        """Return the newest dead letters, without their content."""
        span = Span("at", query.since or EVER, query.before)
        found = await newest_of(self._dead_letters, query.fields, span, limit=limit, fields=CONTENT)
        return [_decode(document) for document in found]

    async def get(self, dead_letter: str) -> StoredDeadLetter | None:
        with translate_mongo_errors():
            found = await self._dead_letters.find_one({"_id": dead_letter})
        return None if found is None else _decode(found)

    async def mark_replayed(self, dead_letter: str, by: str, at: datetime) -> None:
        changes = {"replayedAt": at, "replayedBy": by}
        with translate_mongo_errors():
            await self._dead_letters.update_one(
                {"_id": dead_letter}, {"$set": changes, "$inc": {"replays": 1}}
            )


def _stored(dead_letter: DeadLetter) -> Document:
    more = {
        "head": head_of(dead_letter.id),
        "app": app_of(dead_letter),
        "expireAt": dead_letter.at + DEAD_LETTERS_RETENTION,
    }
    return {**dead_letter.document(), **more}


def _decode(document: Document) -> StoredDeadLetter:
    return StoredDeadLetter(
        id=document["_id"],
        v=document["v"],
        app=document["app"],
        stage=document["stage"],
        topic=document["topic"],
        partition=document["partition"],
        offset=document["offset"],
        type=document["type"],
        truncated=document["truncated"],
        code=document["code"],
        message=document["message"],
        at=document["at"],
        key=document.get("key"),
        value=document.get("value"),
        erased=document.get("erased"),
        replays=document.get("replays"),
        replayed_at=document.get("replayedAt"),
        replayed_by=document.get("replayedBy"),
    )


def app_of(dead_letter: DeadLetter) -> str | None:
    """Return the app that the record names; None if it names none or can't be read."""
    value = DeadLetter.decode(dead_letter.value)
    app = value.get("app") if isinstance(value, dict) else None
    return app if isinstance(app, str) and len(app) <= MAX_APP_LENGTH else None
