"""Tests that another secret key than the data's is refused with a sentence, and never used."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import Rejected
from shared.mongo.client import open_database
from shared.mongo.collections import INSTALLATION
from shared.secret_check import SECRET, check_secret
from shared.secrets import Vault
from shared.settings import Settings
from tests.support import stack
from tests.support.ingest_process import EVENTS, client_of, one_signal, seed_app, until
from tests.support.mongo_proxy import MongoProxy, Refusal

OTHER = "another-key-of-forty-characters-0123456789"
START_SECONDS = 30.0
SERVICES = (
    ("ingest_service", "--only", "api"),
    ("ingest_service", "--only", "projector"),
    ("sender_service",),
    ("sender_service", "--only", "ops"),
)


def under_other_key(settings: Settings) -> Settings:
    return settings.model_copy(update={"secret_key": SecretStr(OTHER)})


def run(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    env = stack.environment(settings)
    return subprocess.run(
        [sys.executable, "-m", *command], env=env, capture_output=True, text=True,
        timeout=START_SECONDS, check=False,
    )  # fmt: skip


async def keep_check(settings: Settings) -> None:
    async with open_database(settings.mongo, "test") as database:
        await check_secret(database, Vault(settings.secret_key.get_secret_value()))


@pytest.mark.parametrize("command", SERVICES, ids=" ".join)
async def test_n3_another_key_ends_with_2_and_names_the_setting(
    settings: Settings, command: tuple[str, ...]
) -> None:
    await keep_check(settings)
    ended = await asyncio.to_thread(run, under_other_key(settings), *command)
    assert ended.returncode == 2, ended.stderr
    assert "CARILLON_SECRET_KEY" in ended.stderr.splitlines()[-1]
    assert OTHER not in ended.stderr and "crashed" not in ended.stderr


async def test_n3_without_a_database_ingest_answers_503_and_ends_when_it_knows(
    settings: Settings, mongo_uri: str, tmp_path: Path
) -> None:
    await keep_check(settings)
    async with open_database(settings.mongo, "test") as database:
        await seed_app(settings, database)
    with MongoProxy.before(mongo_uri, lambda _: Refusal()) as proxy:
        mongo = settings.mongo.model_copy(update={"uri": SecretStr(proxy.uri)})
        other = under_other_key(settings).model_copy(update={"mongo": mongo})
        with stack.service("ingest_service", other, "--only", "api") as server:
            async with client_of(server) as client:
                await until(client, 503, "unavailable")
                answer = await client.post(EVENTS, json=one_signal("v", str(uuid.uuid4())))
                assert answer.status_code == 503
                proxy.decide = lambda _: None
                await stack.eventually(lambda: server.returncode is not None, 20)
                assert server.returncode == 2


async def test_n3_of_two_first_starts_one_key_is_kept(settings: Settings) -> None:
    async with open_database(settings.mongo, "test") as database:
        keys = [Vault(f"{OTHER}{number}") for number in range(6)]
        outcomes = await asyncio.gather(
            *(check_secret(database, key) for key in keys), return_exceptions=True
        )
        assert outcomes.count(None) == 1
        assert all(o is None or (isinstance(o, Rejected)) for o in outcomes)
        assert await database[INSTALLATION.name].count_documents({"_id": SECRET}) == 1
        await check_secret(database, keys[outcomes.index(None)])


async def test_n3_data_from_before_there_was_a_check(settings: Settings) -> None:
    # A key is verified by the secrets that are sealed there; a wrong one isn't kept as the right one.
    mine = Vault(settings.secret_key.get_secret_value())
    async with open_database(settings.mongo, "test") as database:
        sealed = {"oneSignal": {"restApiKey": mine.encrypt("os_v2_app_x")}}
        await database["apps"].insert_one({"_id": "demo", **sealed})
        with pytest.raises(Rejected):
            await check_secret(database, Vault(OTHER))
        await check_secret(database, mine)
        with pytest.raises(Rejected):
            await check_secret(database, Vault(OTHER))


async def test_n3_the_check_reveals_nothing_of_the_key(settings: Settings) -> None:
    await keep_check(settings)
    async with open_database(settings.mongo, "test") as database:
        kept = await database[INSTALLATION.name].find_one({"_id": SECRET})
    assert kept is not None and settings.secret_key.get_secret_value() not in str(kept)
    vault = Vault(settings.secret_key.get_secret_value())
    assert kept["check"] not in (vault.derive("at-rest").hex(), vault.derive("key-hash").hex())


async def test_n3_a_replay_under_another_key_is_refused(settings: Settings) -> None:
    # It would give each person a new id, and find no tombstone of an erased one.
    await keep_check(settings)
    ended = await asyncio.to_thread(run, under_other_key(settings), "ingest_service", "replay")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "CARILLON_SECRET_KEY" in ended.stderr.splitlines()[-1]
