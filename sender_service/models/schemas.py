"""Schemas for other programs: of the topics, also as AsyncAPI 3, and of scenarios, from the models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.trigger import Trigger
from shared.kafka.topics import (
    DAY_MS,
    DEAD_LETTERS_TOPIC,
    DELIVERIES_TOPIC,
    EVENTS_TOPIC,
    MARKETING_JOBS_TOPIC,
    MOMENTS_TOPIC,
    TOPICS,
    TRANSACTIONAL_JOBS_TOPIC,
    TRIGGERS_TOPIC,
    Topic,
)
from shared.models.dead_letter import DeadLetter
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.models.job import Job
from shared.models.person_moment import PersonMoment
from shared.models.wire import Wire

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Message:
    """The records of one topic. `key` describes their keys."""

    name: str
    model: type[Wire]
    key: str
    type: str  # of the header `type`; a pattern where it differs by record
    example: dict[str, Any]


_SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
_PLAYER = "1dd608f2-c6a1-11e3-851d-000c2940e62c"
_AT = "2026-11-22T16:00:00.000Z"

EVENT_MESSAGE = Message(
    "event", Event, "visitor id; player id for webhooks and Event Streams", "the event's type",
    {
        "v": 1, "app": "demo", "id": "3f0e4a52-6d0e-4c53-9f0c-0d5b6a7c8d9e", "type": "pageview",
        "source": "browser", "visitorId": "v-1", "occurredAt": _AT, "receivedAt": _AT,
        "page": {"url": "https://shop.example/shoes"}, "data": {"itemID": "shoe-1"},
    },
)  # fmt: skip
TRIGGER_MESSAGE = Message(
    "trigger", Trigger, "trigger id", "trigger",
    {
        "id": _SEND, "app": "demo", "campaign": "welcome", "priority": "transactional",
        "recipients": [{"login": "jana@shop.example", "variables": {"name": "Jana"}}],
    },
)  # fmt: skip
JOB = Message(
    "job", Job, "send:page:chunk", "job",
    {
        "v": 1, "app": "demo", "send": _SEND, "page": 0, "chunk": "0", "generation": 1,
        "release": 1, "priority": "marketing", "players": [_PLAYER],
        "idempotencyKey": "8a1c9c52-98a3-5a2d-9c59-1f2f9d3b7a11",
        "body": {"contents": {"en": "Welcome back"}}, "expiresAt": _AT, "releasedAt": _AT,
    },
)  # fmt: skip
DELIVERY = Message(
    "delivery", Delivery, "send", "delivery",
    {
        "v": 1, "app": "demo", "send": _SEND, "page": 0, "chunk": "0", "outcome": "sent",
        "notificationId": "5c0f6a2b-3a55-4f57-8f0e-6f4f0a8d6b1c",
        "players": [{"player": _PLAYER, "outcome": "failed", "reason": "invalid_player"}],
        "at": _AT,
    },
)  # fmt: skip
MOMENT_MESSAGE = Message(
    "moment", PersonMoment, "person id", "moment",
    {
        "v": 1, "app": "demo", "person": "9f2c4e6a8b0d1f3e5a7c9e1b3d5f7a90", "seenAt": _AT,
        "zone": "Europe/Prague", "subscribed": 1,
        "facts": [{
            "id": "3f0e4a52-6d0e-4c53-9f0c-0d5b6a7c8d9e", "at": _AT, "item": "shoe-1",
            "category": "shoes", "kind": "viewed",
        }],
    },
)  # fmt: skip
DEAD_LETTER_MESSAGE = Message(
    "deadLetter", DeadLetter, "as the record's that it holds", "deadLetter",
    {
        "v": 1, "id": "4a1e4d1c-6a51-5a4f-9a45-0b1f3c2d4e5f", "stage": "intake",
        "topic": "carillon.triggers", "partition": 0, "offset": 7, "type": "trigger",
        "key": "aw==", "value": "e30=", "code": "unknown_app", "message": "no such app", "at": _AT,
    },
)  # fmt: skip

MESSAGES: dict[str, Message] = {
    EVENTS_TOPIC.name: EVENT_MESSAGE,
    TRIGGERS_TOPIC.name: TRIGGER_MESSAGE,
    TRANSACTIONAL_JOBS_TOPIC.name: JOB,
    MARKETING_JOBS_TOPIC.name: JOB,
    DELIVERIES_TOPIC.name: DELIVERY,
    MOMENTS_TOPIC.name: MOMENT_MESSAGE,
    DEAD_LETTERS_TOPIC.name: DEAD_LETTER_MESSAGE,
}
# Who publishes and who reads: the operations of the two services.
SERVICES: dict[str, dict[str, tuple[Topic, ...]]] = {
    "ingest": {
        "send": (EVENTS_TOPIC, MOMENTS_TOPIC, DEAD_LETTERS_TOPIC),
        "receive": (EVENTS_TOPIC, DELIVERIES_TOPIC),
    },
    "sender": {
        "send": (
            EVENTS_TOPIC,
            TRIGGERS_TOPIC,
            TRANSACTIONAL_JOBS_TOPIC,
            MARKETING_JOBS_TOPIC,
            DELIVERIES_TOPIC,
            DEAD_LETTERS_TOPIC,
        ),
        "receive": TOPICS,
    },
}


def files() -> dict[str, str]:
    """Return file name → content."""
    messages = {message.name: message for message in MESSAGES.values()}
    written = {f"{name}.schema.json": _json(schema(m)) for name, m in messages.items()}
    return {
        "asyncapi.json": _json(asyncapi()),
        **written,
        "scenario.schema.json": _json(scenario_schema()),
    }


def schema(message: Message) -> dict[str, Any]:
    """Return a self-contained JSON Schema. Readers ignore unknown keys."""
    found = message.model.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, **found, "examples": [message.example]}


def scenario_schema() -> dict[str, Any]:
    """Return a self-contained JSON Schema of what `PUT` for a scenario takes."""
    return {"$schema": DIALECT, **ScenarioRequest.model_json_schema(by_alias=True)}


def asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Carillon",
            "version": "1",
            "description": "What travels on Kafka. Records carry a header `type`; all producers "
            "partition by murmur2 of the key. Stages are at least once and idempotent.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": {m.name: _message(m) for m in MESSAGES.values()}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    message = MESSAGES[topic.name].name
    return {
        "address": topic.name,
        "description": f"Kept for {topic.retention_ms // DAY_MS} days.",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": topic.retention_ms},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for service, actions in SERVICES.items():
        for action, topics in actions.items():
            for topic in topics:
                found[f"{service}.{action}.{topic.name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic.name}"},
                    "tags": [{"name": service}],
                }
    return found


def _message(message: Message) -> dict[str, Any]:
    return {
        "name": message.name,
        "title": (message.model.__doc__ or message.name).split("\n")[0],
        "headers": {
            "type": "object",
            "properties": {"type": {"type": "string", "description": message.type}},
            "required": ["type"],
        },
        "payload": {"$ref": f"./{message.name}.schema.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": message.key},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [{"name": message.name, "payload": message.example}],
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, sort_keys=False, ensure_ascii=False) + "\n"
