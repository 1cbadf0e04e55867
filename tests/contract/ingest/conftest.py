"""The API of an app that allows one origin, an app that allows all, and one that is switched off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.support.ingest_api import SHOP, VAULT, Api, app


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        api = Api(database)
        proof = {"required": True, "secret": VAULT.encrypt("hmac secret")}
        api.apps.take(
            [
                app("shop", origins=[SHOP]),
                app("open"),
                app("off", enabled=False),
                app("proof", loginHash=proof),
                app("optional", loginHash={**proof, "required": False}),
            ]
        )
        yield api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client() as client:
        yield client
