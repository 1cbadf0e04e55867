"""Which database server a run is for: the embedded one, or one that is given.

A given server (`CARILLON_TEST_MONGO__URI`, which may hold a password) takes the place of the one that
tests share. Each test has a database of its own there, which is dropped at its end. Tests that stop or
kill a server have an embedded one in any case.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from pymongo import MongoClient

GIVEN = "CARILLON_TEST_MONGO__URI"
PREFIX = "test_"  # of the databases that a run makes, and so may drop
# What a kind of engine can't do, by the buildInfo field that only it has: (test's id, why).
CANNOT: dict[str, tuple[tuple[str, str], ...]] = {
    "ferretdb": (),
}


def given() -> str | None:
    """Return the address of the server that this run was given, if it was."""
    return os.environ.get(GIVEN) or None


def engine_of(uri: str) -> str:
    """Return the given server's kind: of those that are known, else its version."""
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=5_000) as client:
        told = client.admin.command("buildInfo")
    known = (kind for kind in CANNOT if kind in told)
    return next(known, f"MongoDB {told.get('version')}")


def skips_of(engine: str) -> Iterable[tuple[str, str]]:
    return CANNOT.get(engine, ())


def drop_databases(uri: str, before: frozenset[str]) -> None:
    """Drop what tests made since: whatever was there before stays."""
    with MongoClient[dict[str, object]](uri) as client:
        for name in names_of(uri) - before:
            client.drop_database(name)


def names_of(uri: str) -> frozenset[str]:
    """Return the names of the tests' databases that are there."""
    with MongoClient[dict[str, object]](uri) as client:
        return frozenset(n for n in client.list_database_names() if n.startswith(PREFIX))
