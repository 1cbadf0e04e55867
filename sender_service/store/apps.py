"""The `apps` collection, written by the sender; each change of content is a version."""

from __future__ import annotations

from collections.abc import Callable

from sender_service.store.versioned import VersionedStore
from shared.models.app import App, AppContent
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import APPS

CONTENT_FIELDS = set(AppContent.model_fields)


class AppStore(VersionedStore[App]):
    def __init__(self, database: Database) -> None:
        super().__init__(database[APPS.name], App.model_validate)

    async def get(self, app: str) -> App | None:
        return await self._get(app)

    async def all(self) -> list[App]:
        return await self._find({})

    async def change(self, app: str, changes: Callable[[App | None], AppContent]) -> App:
        """Store the content that `changes` returns for the present app, without lost updates.

        `changes` may be called again, and may raise.
        """
        return await self._change(app, lambda before: _encode(changes(before)))

    async def stop(self, app: str, because: str) -> None:
        """Stop the app until an operator resumes it."""
        await self._set(app, {"state": "stopped", "stoppedBecause": because})

    async def resume(self, app: str) -> None:
        await self._set(app, {"state": "active", "stoppedBecause": None})

    async def _set(self, app: str, changes: Document) -> None:
        """Change fields that aren't content, so that no version is made."""
        with translate_mongo_errors():
            await self._collection.update_one({"_id": app}, {"$set": changes})


def _encode(content: AppContent) -> Document:
    # An app may be given as its content: its state is another writer's.
    return content.model_dump(by_alias=True, include=CONTENT_FIELDS)
