"""A replica that calls OneSignal as often as its governor lets it: `python -m tests.bench.replica PORT`."""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
import uuid
from datetime import timedelta

import uvloop

from sender_service.dispatcher.governor import Governor, Membership
from sender_service.providers.base import ProviderContext
from sender_service.providers.registry import open_providers
from sender_service.store.limits import ReplicaStore
from sender_service.store.people import PeopleReader
from shared.clock import monotonic, utc_now
from shared.health import Health
from shared.models.app import App
from shared.models.job import Job
from shared.mongo.client import open_database
from shared.secrets import Vault
from shared.settings import Settings

APP = "bench"
ONE_SIGNAL = "5eed0000-ca21-4110-8000-0000000bebc4"
KEY = "os_v2_app_bench"
CALLERS = 32


async def seed(settings: Settings, plan: str) -> None:
    sealed = Vault(settings.secret_key.get_secret_value()).encrypt(KEY)
    one_signal = {"appId": ONE_SIGNAL, "restApiKey": sealed, "plan": plan}
    app = {"_id": APP, "name": "Bench", "version": 1, "oneSignal": one_signal}
    async with open_database(settings.mongo, "bench") as database:
        await database["apps"].insert_one(app)


async def run(settings: Settings) -> None:
    vault = Vault(settings.secret_key.get_secret_value())
    async with (
        open_database(settings.mongo, "bench") as database,
        open_providers(ProviderContext(settings, vault, PeopleReader(database))) as providers,
    ):
        app = App.model_validate(await database["apps"].find_one({"_id": APP}))
        membership = Membership(
            ReplicaStore(database), str(uuid.uuid4()), settings.governor, monotonic
        )
        governor = Governor(membership, settings.governor, monotonic)
        component = Health(utc_now, monotonic).component("governor", deadline_seconds=15)
        players = itertools.count()
        (provider,) = providers.values()

        async def call() -> None:
            while True:
                if await governor.acquire(app, provider, transactional=False, within=5.0):
                    await provider.call(app, _job(next(players)))

        async with asyncio.TaskGroup() as group:
            group.create_task(membership.run(asyncio.Event(), component))
            for _ in range(CALLERS):
                group.create_task(call())


def _job(number: int) -> Job:
    """Make a job for any player: the bench counts calls, not who gets them."""
    now = utc_now()
    body = {"app_id": ONE_SIGNAL, "headings": {"en": "Shop"}, "contents": {"en": "For you"}}
    return Job(
        app=APP, send=str(uuid.uuid4()), page=0, chunk="0", generation=1, priority="marketing",
        idempotency_key=str(uuid.uuid4()), players=[str(uuid.UUID(int=number))], body=body,
        expires_at=now + timedelta(hours=1), released_at=now,
    )  # fmt: skip


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))):  # that it runs can be seen
        uvloop.run(run(Settings()))


if __name__ == "__main__":
    main()
