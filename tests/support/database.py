"""Database server of a run: the embedded one, or one that is given.

A given server (`CARILLON_TEST_MONGO__URI`, which may hold a password) takes the place of the one that
tests share. Each test has a database of its own there; all are dropped at the end of the run. Tests that
stop or kill a server have an embedded one in any case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient

from tests.support.mongo_proxy import MongoProxy
from tests.support.mongo_wire import Message

GIVEN = "CARILLON_TEST_MONGO__URI"
PREFIX = "test_"  # of the databases that a run makes, and so may drop


@dataclass(frozen=True)
class Engine:
    """Limits of a kind of engine. `skipped`: tests by the end of their ids, with the reason."""

    name: str
    expires: bool = True  # has TTL indexes; without them nothing that expires is ever deleted
    skipped: Mapping[str, str] = field(default_factory=dict)


FERRETDB = Engine(
    "FerretDB 1",
    expires=False,
    skipped={
        "contract/sender/": "no arrays in arrays, so no pages",
        "integration/sender/": "no arrays in arrays, so no pages",
    },
)


def given() -> str | None:
    """Return the address of the server that this run was given, if it was."""
    return os.environ.get(GIVEN) or None


def engine_of(uri: str) -> Engine:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=5_000) as client:
        build = client.admin.command("buildInfo")
    if str(build.get("ferretdbVersion", "")).startswith("v1."):
        return FERRETDB
    return Engine(f"MongoDB {build['version']}")


@contextmanager
def given_server(uri: str) -> Iterator[str]:
    """Yield the address for a run, which leaves the server as it was."""
    engine, before = engine_of(uri), _databases(uri)
    try:
        if engine.expires:
            yield uri
        else:
            proxy = MongoProxy.before(uri)
            proxy.rewrite = without_expiry
            with proxy:
                yield proxy.uri
    finally:
        with MongoClient[dict[str, Any]](uri) as client:
            for name in _databases(uri) - before:
                client.drop_database(name)


def without_expiry(request: Message) -> Message:
    """Make plain indexes instead of those that an engine can't make."""
    if request.command != "createIndexes":
        return request
    plain = [
        {k: v for k, v in index.items() if k != "expireAfterSeconds"}
        for index in request.body["indexes"]
    ]
    return request.with_body({**request.body, "indexes": plain})


def _databases(uri: str) -> frozenset[str]:
    with MongoClient[dict[str, Any]](uri) as client:
        return frozenset(n for n in client.list_database_names() if n.startswith(PREFIX))
