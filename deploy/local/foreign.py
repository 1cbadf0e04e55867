"""Checks of servers from outside before anything is started: a wrong address is one sentence."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.local.errors import EXIT_REFUSED, LaunchError
from deploy.local.settings import is_foreign_broker, is_foreign_database
from shared.errors import LogUnavailable, ServerAnswer
from shared.kafka.client import ensure_topics
from shared.mongo.errors import answer_of
from shared.settings import KafkaSettings, MongoSettings, Settings

ASK_SECONDS = 3.0
KAFKA, MONGO = "CARILLON_KAFKA__BOOTSTRAP_SERVERS", "CARILLON_MONGO__URI"
REFUSED_CODES = frozenset({13, 18, 8000})  # Unauthorized, AuthenticationFailed, a provider's own
KAFKA_PORT = 9092
Host = tuple[str, int]


async def check_foreign(settings: Settings) -> None:
    """Check them, for three seconds at most. Raises LaunchError with address, setting and reason."""
    checks = []
    if is_foreign_broker(settings):
        checks.append(_check_kafka(settings.kafka))
    if is_foreign_database(settings):
        checks.append(_check_mongo(settings.mongo))
    for outcome in await asyncio.gather(*checks, return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _check_kafka(kafka: KafkaSettings) -> None:
    server = f"Kafka at {kafka.bootstrap_servers} ({KAFKA})"
    hosts = [_split(address.strip()) for address in kafka.bootstrap_servers.split(",")]
    reason = await _reach(hosts)
    if reason is None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await ensure_topics(kafka, ())  # none: only who it is
        except (LogUnavailable, TimeoutError):
            reason = "it doesn't answer as Kafka does"
    if reason is not None:
        raise LaunchError(f"{server}: {reason}", EXIT_REFUSED)


async def _check_mongo(mongo: MongoSettings) -> None:
    uri = mongo.uri.get_secret_value()
    is_srv = uri.startswith("mongodb+srv://")
    hosts: list[Host] = []
    if not is_srv:  # the driver looks those names up
        try:
            hosts = [(host, port or 27017) for host, port in parse_uri(uri)["nodelist"]]
        except (PyMongoError, ValueError):  # its text may hold the password
            raise LaunchError(_no_address(uri), EXIT_REFUSED) from None
    names = ",".join(f"{host}:{port}" for host, port in hosts) or re.sub(
        r"^.*@|^.*//|/.*$", "", uri
    )
    reason = await _reach(hosts) if hosts else None
    reason = reason or await _ask_mongo(uri, mongo.database)
    if reason is not None:
        raise LaunchError(f"MongoDB at {names} ({MONGO}): {reason}", EXIT_REFUSED)


def _no_address(uri: str) -> str:
    scheme = re.match(r"[a-z+]{1,12}://", uri)
    begins = f" begins with {scheme[0]}" if scheme else " isn't an address"
    known = scheme is not None and scheme[0] in ("mongodb://", "mongodb+srv://")
    expected = "mongodb://host:27017, or mongodb+srv://host"
    return f"{MONGO}{' is malformed' if known else begins}: it must be {expected}"


async def _ask_mongo(uri: str, database: str) -> str | None:
    """Return what is wrong; None where it answers a query under this password."""
    timeout_ms = int(ASK_SECONDS * 1000)
    try:
        async with (
            asyncio.timeout(ASK_SECONDS),
            AsyncMongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=timeout_ms) as client,
        ):
            await client[database]["apps"].find_one({"_id": ""})
    except ConfigurationError:
        return "the driver can't use this address (a name that isn't known, or an option)"
    except TimeoutError:
        return "it doesn't answer as MongoDB does"
    except PyMongoError as exc:
        return _reason_of(answer_of(exc))
    return None


def _reason_of(answer: ServerAnswer | None) -> str:
    if answer is None:
        return "it doesn't answer as MongoDB does"
    code = f"code {answer.code}{f' {answer.name}' if answer.name else ''}"
    if answer.code in REFUSED_CODES:
        return f"it refuses this user or password ({code})"
    return f"it answers with an error ({code})"


async def _reach(hosts: Sequence[Host]) -> str | None:
    """Return why the first host can't be reached; None where any can."""
    reasons = await asyncio.gather(*(_connect(host) for host in hosts))
    return None if None in reasons else reasons[0]


async def _connect(host: Host) -> str | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            _, writer = await asyncio.open_connection(*host)
    except socket.gaierror:
        return "name not known"
    except ConnectionRefusedError:
        return "connection refused"
    except TimeoutError:
        return f"no answer within {ASK_SECONDS:g} s"
    except OSError as exc:
        return str(exc.strerror or "not reachable").lower()
    writer.close()
    return None


def _split(address: str) -> Host:
    """Return host and port. Raises LaunchError where the port isn't one."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return address, KAFKA_PORT
    if not port.isdecimal() or not 0 < int(port) <= 65_535 or not host:
        raise LaunchError(f"Kafka at {address} ({KAFKA}): host:port is required", EXIT_REFUSED)
    return host.strip("[]"), int(port)
