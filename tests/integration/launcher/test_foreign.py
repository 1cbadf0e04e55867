"""Servers from outside, wrongly named: one sentence, exit code 2, within seconds."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from tests.integration.launcher.local_stack import free_environment
from tests.integration.launcher.running import running
from tests.support.mongo_proxy import MongoProxy, Refusal
from tests.support.server import Server
from tests.support.stack import free_port

KAFKA, MONGO = "CARILLON_KAFKA__BOOTSTRAP_SERVERS", "CARILLON_MONGO__URI"
NOWHERE = "no-such-host.invalid"
SOON_SECONDS = 12.0  # of which asking takes 3; the rest is the start of Python on a busy machine
PASSWORD = "planted-password"


def refused(tmp_path: Path, **settings: str) -> str:
    """Run the launcher, which refuses and starts nothing; return its output."""
    began = time.monotonic()
    with running("deploy.local", env=free_environment(tmp_path, **settings)) as launcher:
        assert launcher.exit_code() == 2, launcher.screen
        assert time.monotonic() - began < SOON_SECONDS
        assert not any("starting" in line for line in launcher.lines)
        return launcher.screen


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (f"mongo://shop:{PASSWORD}@db:27017", "begins with mongo://"),
        (f"mongodb://shop:{PASSWORD}@{NOWHERE}:27017/", f"{NOWHERE}:27017 ({MONGO}): name not known"),
        (f"mongodb://shop:{PASSWORD}@", "is malformed"),
        (f"shop:{PASSWORD}@db", "isn't an address"),
    ],
    ids=["scheme", "name", "malformed", "text"],
)  # fmt: skip
def test_n12_a_wrong_address_of_mongodb_is_one_sentence(
    tmp_path: Path, uri: str, reason: str
) -> None:
    message = refused(tmp_path, **{MONGO: uri})
    assert reason in message and MONGO in message
    assert PASSWORD not in message


def test_n12_a_closed_port_is_named(tmp_path: Path) -> None:
    port = free_port()
    message = refused(tmp_path, **{MONGO: f"mongodb://127.0.0.1:{port}"})
    assert message == f"MongoDB at 127.0.0.1:{port} ({MONGO}): connection refused"


def test_n12_a_silent_server_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        message = refused(tmp_path, **{MONGO: f"mongodb://{address}", KAFKA: address})
    assert message == f"Kafka at {address} ({KAFKA}): it doesn't answer as Kafka does"


def test_n12_a_refused_password_is_named_with_its_code(
    tmp_path: Path, fresh_database: Server
) -> None:
    refusal = Refusal(18, "AuthenticationFailed")
    uri = f"mongodb://{fresh_database.address}"
    with MongoProxy.before(uri, lambda _: refusal) as proxy:
        message = refused(tmp_path, **{MONGO: proxy.uri})
    assert message == (
        f"MongoDB at 127.0.0.1:{proxy.port} ({MONGO}): it refuses this user or password"
        " (code 18 AuthenticationFailed)"
    )


@pytest.mark.parametrize(
    ("servers", "reason"),
    [(f"{NOWHERE}:9092", "name not known"), ("kafka:port", "host:port is required")],
)
def test_n12_a_wrong_address_of_kafka_is_one_sentence(
    tmp_path: Path, servers: str, reason: str
) -> None:
    assert refused(tmp_path, **{KAFKA: servers}) == f"Kafka at {servers} ({KAFKA}): {reason}"
