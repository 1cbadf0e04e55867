"""Probes of the parts: each raises NotReady, with the reason, until its part is ready."""

from __future__ import annotations

import httpx
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from deploy.local.errors import NotReady, NotWriting
from deploy.local.sentences import read_health
from shared.errors import LogUnavailable
from shared.kafka.client import ensure_topics
from shared.kafka.topics import TOPICS
from shared.mongo.collections import INSTALLATION
from shared.mongo.errors import answer_of
from shared.settings import KafkaSettings


async def probe_http(client: httpx.AsyncClient, url: str) -> None:
    try:
        answer = await client.get(url)
    except httpx.HTTPError as exc:
        raise NotReady(f"{url}: {type(exc).__name__}") from exc
    if answer.status_code != httpx.codes.OK:
        raise NotReady(f"{url} answers {answer.status_code}: {read_health(answer.text)}")


async def probe_database(uri: str, database: str) -> None:
    """Store something. Raises NotReady, or NotWriting where it answers with an error."""
    # A full disk still answers pings.
    try:
        async with AsyncMongoClient[dict[str, object]](
            uri, serverSelectionTimeoutMS=1_000
        ) as client:
            await client[database][INSTALLATION.name].update_one(
                {"_id": "launcher"}, {"$inc": {"writes": 1}}, upsert=True
            )
    except PyMongoError as exc:
        answer = answer_of(exc)
        if answer is None:
            raise NotReady(type(exc).__name__) from None
        raise NotWriting(f"code {answer.code} {answer.name or ''}".rstrip()) from None


async def probe_broker(kafka: KafkaSettings, cluster_id: str) -> None:
    """Create all topics on the broker of this identity. Raises NotReady."""
    # So no reader meets a log without its topics.
    try:
        answered = await ensure_topics(kafka, TOPICS)
    except LogUnavailable as exc:
        raise NotReady(exc.message) from exc
    if answered != cluster_id:
        raise NotReady(f"another broker answers there: {answered}")
