"""The `tokens` collection: hashes of the ops API's bearer tokens, never the tokens themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sender_service.models.access import Apps, Principal, Role
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import TOKENS
from shared.mongo.whole_reads import read_all

ALL = "all"
COARSE = timedelta(hours=1)  # how exactly `lastUsedAt` is known: a write an hour, not a request


@dataclass(frozen=True)
class Token:
    """A token without its hash."""

    id: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    apps: Apps = None

    @property
    def principal(self) -> Principal:
        return Principal(self.id, self.name, self.role, self.apps)

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class TokenStore:
    """Stores tokens. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._tokens = database[TOKENS.name]

    async def add(self, token: Token, hashed: str) -> None:
        document = {
            "_id": token.id, "hash": hashed, "name": token.name, "role": token.role,
            "apps": apps_document(token.apps), "createdAt": token.created_at, "createdBy": token.created_by,
            "expiresAt": token.expires_at, "lastUsedAt": None,
        }  # fmt: skip
        with translate_mongo_errors():
            await self._tokens.insert_one(document)

    async def by_hash(self, hashed: str) -> Token | None:
        with translate_mongo_errors():
            found = await self._tokens.find_one({"hash": hashed})
        return None if found is None else _token(found)

    async def get(self, token: str) -> Token | None:
        with translate_mongo_errors():
            found = await self._tokens.find_one({"_id": token})
        return None if found is None else _token(found)

    async def all(self) -> list[Token]:
        """Return all tokens, newest first."""
        with translate_mongo_errors():
            found = [_token(d) for d in await read_all(self._tokens, {})]
        return sorted(found, key=lambda t: (t.created_at, t.id), reverse=True)

    async def remove(self, token: str) -> bool:
        with translate_mongo_errors():
            result = await self._tokens.delete_one({"_id": token})
        return result.deleted_count == 1

    async def used(self, token: Token, now: datetime) -> None:
        """Record the use of a token, at most once an hour."""
        if token.last_used_at is None or token.last_used_at <= now - COARSE:
            with translate_mongo_errors():
                await self._tokens.update_one({"_id": token.id}, {"$set": {"lastUsedAt": now}})


def _token(found: Document) -> Token:
    return Token(
        id=str(found["_id"]),
        name=found["name"],
        role=cast(Role, found["role"]),
        created_at=found["createdAt"],
        created_by=found["createdBy"],
        expires_at=found["expiresAt"],
        last_used_at=found["lastUsedAt"],
        apps=_apps(found.get("apps", ALL)),
    )


def _apps(stored: list[str] | str) -> Apps:
    """Return the stored apps of a token; a token without the field has all."""
    return None if stored == ALL else frozenset(stored)


def apps_document(apps: Apps) -> list[str] | str:
    return ALL if apps is None else sorted(apps)
