"""Check of the secret key: a key other than that of the stored data is refused."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import suppress

from shared.errors import Rejected, StoreUnavailable
from shared.mongo.client import Database, blame_database, retry_on_conflict
from shared.mongo.collections import APPS, INSTALLATION
from shared.secrets import Vault

SECRET = "secret"
PURPOSE = "secret-check"
SEALED = "gAAAAA"  # how every sealed secret begins: the format's version, the year
START_SECONDS = 1.0  # of a start; a database that answers later is asked by the loops


async def check_secret(database: Database, vault: Vault) -> None:
    """Keep a value made by the key, once; refuse a key that makes another.

    Raises Rejected, and StoreUnavailable. Safe beside other processes that start.
    """
    mine = vault.derive(PURPOSE).hex()
    documents = database[INSTALLATION.name]
    with blame_database():
        found = await documents.find_one({"_id": SECRET})
        if found is None:
            await _check_apps(database, vault)
            # Of two that are first, one's value is kept, and both read that one.
            first = {"$setOnInsert": {"check": mine}}
            await retry_on_conflict(
                lambda: documents.update_one({"_id": SECRET}, first, upsert=True)
            )
            found = await documents.find_one({"_id": SECRET})
    if found is None or not hmac.compare_digest(str(found["check"]), mine):
        raise _other_key()


async def check_secret_at_start(database: Database, vault: Vault) -> None:
    """Refuse a wrong key before anything is served, where MongoDB answers at once."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            await check_secret(database, vault)


async def _check_apps(database: Database, vault: Vault) -> None:
    """Refuse a key that opens none of the secrets that were stored before there was a check."""
    opened = 0
    stored = [app async for app in database[APPS.name].find({})]
    sealed = [text for text in _texts(stored) if text.startswith(SEALED)]
    for secret in sealed:
        with suppress(Rejected):
            vault.decrypt(secret)
            opened += 1
    if sealed and not opened:
        raise _other_key()


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a document, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _other_key() -> Rejected:
    return Rejected(
        "CARILLON_SECRET_KEY isn't the key that the data in MongoDB were written under: no key of an"
        " app would be recognised. Set the former one, or another CARILLON_MONGO__DATABASE",
        code="other_secret_key",
    )
