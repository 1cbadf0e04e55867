"""Rival of ingest: `bare.py <bare|naive> <port> [broker] [database]`, one process.

bare: a plain ASGI app on uvicorn (uvloop, httptools) that validates the same bodies with the same
pydantic models as ingest does, and stores nothing. naive: what one would write first, FastAPI with
one `update_one` (PyMongo's own driver) and one `send_and_wait` (aiokafka) a request.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request
from pymongo import AsyncMongoClient
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_service.collect.event_schemas import EVENT_MODELS, Envelope
from shared.kafka.topics import EVENTS_TOPIC

HEADERS = [(b"content-type", b"application/json")]


def validate(body: bytes) -> list[Envelope]:
    content = orjson.loads(body)
    envelopes = [Envelope.model_validate(one) for one in content]
    for envelope in envelopes:
        EVENT_MODELS[envelope.type].model_validate(envelope.data)
    return envelopes


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    count = len(validate(message["body"]))
    body = b'{"accepted":%d,"rejected":[]}' % count
    headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def naive(broker: str, database: str) -> ASGIApp:
    app = FastAPI()
    profiles = AsyncMongoClient[dict[str, Any]](database)["bench"]["profiles"]
    producers: list[AIOKafkaProducer] = []

    @app.post("/v1/events", status_code=202)
    async def collect(request: Request) -> dict[str, int]:
        if not producers:
            producers.append(AIOKafkaProducer(bootstrap_servers=broker, acks="all"))
            await producers[0].start()
        body = await request.body()
        for envelope in validate(body):
            visitor = envelope.visitor_id
            await profiles.update_one(
                {"_id": visitor}, {"$set": {"last": envelope.type}}, upsert=True
            )
            await producers[0].send_and_wait(EVENTS_TOPIC.name, body, key=visitor.encode())
        return {"accepted": 1}

    return app


def main(kind: str, port: int, *servers: str) -> None:
    app = bare if kind == "bare" else naive(*servers)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", lifespan="off",
        log_level="critical", access_log=False, proxy_headers=False, server_header=False,
    )  # fmt: skip
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
