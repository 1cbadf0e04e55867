"""Embedded database that tests share, exchanged for an empty one before it has too many databases.

With 500 databases a new collection was seen to take 7 s, longer than services wait for it; with 100 less
than a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support import stack

MAX_DATABASES = 100


@dataclass
class SharedDatabase:
    """Server of the present module. `make_folder`: for the files of one server."""

    make_folder: Callable[[], Path]
    _server: stack.Server | None = field(default=None, init=False)

    def uri(self) -> str:
        """Return the address of a server with room for a module's tests."""
        if self._server is None or _count_databases(self._server) >= MAX_DATABASES:
            self.stop()
            self._server = stack.database(self.make_folder() / "data", expires=False)
            self._server.start()
        return f"mongodb://{self._server.address}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def _count_databases(server: stack.Server) -> int:
    with MongoClient[dict[str, Any]](f"mongodb://{server.address}") as client:
        return len(client.list_database_names())
