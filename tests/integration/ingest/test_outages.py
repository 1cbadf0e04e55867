"""Tests of servers that are away at the start or later: reported clearly, and recovered from alone."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

from shared.kafka.client import ensure_topics
from shared.kafka.topics import TOPICS
from shared.settings import Settings
from tests.support import stack
from tests.support.ingest_process import (
    EVENTS,
    client_of,
    one_signal,
    seeded,
    until,
    until_known,
)


def impatient(settings: Settings) -> Settings:
    """Return settings with which a database is missed after a second."""
    return settings.model_copy(
        update={"mongo": settings.mongo.model_copy(update={"timeout_ms": 1_000})}
    )


async def test_starts_before_its_broker_and_survives_its_loss(
    mongo_uri: str, tmp_path: Path
) -> None:
    broker = stack.broker()
    settings = stack.settings_for(broker.address, mongo_uri, tmp_path)
    async with seeded(settings):
        with stack.service("ingest_service", settings) as server:
            async with client_of(server) as client:
                await until(client, 200, "degraded")
                player = str(uuid.uuid4())
                answer = await client.post(EVENTS, json=one_signal("v", player))
                assert answer.status_code == 202  # on disk
                with broker:
                    await until(client, 200, "ready")
                    await until_known(client, "v", player)
                    broker.kill()
                    await until(client, 200, "degraded")
                    broker.start()  # without its log, its topics and its groups
                    await until(client, 200, "ready")
                    other = str(uuid.uuid4())
                    answer = await client.post(EVENTS, json=one_signal("w", other))
                    assert answer.status_code == 202
                    await until_known(client, "w", other)


async def test_starts_before_its_database_and_survives_its_loss(
    fresh_broker: stack.Server, tmp_path: Path
) -> None:
    database = stack.database(tmp_path / "database")
    settings = stack.settings_for(fresh_broker.address, f"mongodb://{database.address}", tmp_path)
    settings = impatient(settings)
    with stack.service("ingest_service", settings) as server:
        async with client_of(server) as client:
            await until(client, 503, "unavailable")  # which apps there are was never read
            answer = await client.post(EVENTS, json=one_signal("v", str(uuid.uuid4())))
            assert (answer.status_code, answer.json()["code"]) == (503, "mongo_unavailable")
            with database:
                async with seeded(settings):
                    await until(client, 200, "ready")
                database.kill()
                await until(client, 200, "degraded")
                player = str(uuid.uuid4())
                answer = await client.post(EVENTS, json=one_signal("v", player))
                assert answer.status_code == 202  # stored; the projector catches up
                answer = await client.get("/v1/profile?key=wk_demo&visitorId=v")
                assert (answer.status_code, answer.json()["code"]) == (503, "mongo_unavailable")
                database.start()
                await until(client, 200, "ready")
                await until_known(client, "v", player)


async def test_starts_again_without_its_database(
    fresh_broker: stack.Server, fresh_database: stack.Server, tmp_path: Path
) -> None:
    uri = f"mongodb://{fresh_database.address}"
    settings = impatient(stack.settings_for(fresh_broker.address, uri, tmp_path))
    server = stack.service("ingest_service", settings, "--only", "api")
    async with seeded(settings), client_of(server) as client:
        with server:
            await until(client, 200, "ready")
        fresh_database.kill()
        with server:
            await until(client, 200, "degraded")
            answer = await client.post(EVENTS, json=one_signal("v", str(uuid.uuid4())))
            assert answer.status_code == 202


async def test_projector_that_was_killed_goes_on(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    kafka = settings.kafka.model_copy(update={"session_timeout_ms": 2_000})
    settings = settings.model_copy(update={"kafka": kafka})
    api = stack.service("ingest_service", settings, "--only", "api")
    projector = stack.service("ingest_service", settings, "--only", "projector")
    players = [str(uuid.uuid4()) for _ in range(60)]
    batch = [one_signal(f"v{n}", player) for n, player in enumerate(players)]
    async with seeded(settings) as database, client_of(api) as client:
        with api, projector:  # the port is the API's
            await until(client, 200, "ready")
            await client.post(EVENTS, json=batch[:30])
            await until_known(client, "v29", players[29], 30)
            projector.kill()
            await client.post(EVENTS, json=batch[30:])
            projector.start()
            await until_known(client, "v59", players[59], 40)

            async def all_are_there() -> bool:
                return await database["profiles"].count_documents({}) == len(players)

            await stack.eventually(all_are_there)
        assert projector.returncode == 0


def test_busy_port_is_one_sentence(settings: Settings) -> None:
    taken = stack.free_port()
    busy = settings.model_copy(
        update={"ingest": settings.ingest.model_copy(update={"port": taken})}
    )
    with stack.listening(taken):
        found = subprocess.run(
            [sys.executable, "-m", "ingest_service"],
            env=stack.environment(busy),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert found.returncode == 2
    assert f"port {taken}" in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


async def test_topics_are_created_once(settings: Settings) -> None:
    first = await ensure_topics(settings.kafka, TOPICS)
    assert await ensure_topics(settings.kafka, TOPICS) == first
