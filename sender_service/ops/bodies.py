"""Request bodies that are read as they come, within limits."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from sender_service.models.trigger import MAX_TRIGGER_BYTES, Trigger
from shared.errors import TooLarge

NDJSON = "application/x-ndjson"
SCHEMAS = "#/components/schemas/"
TRIGGER = Trigger.__name__
TRIGGER_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": SCHEMAS + TRIGGER},
                "example": {
                    "id": "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10",
                    "app": "demo",
                    "campaign": "welcome",
                    "audience": {"all": True},
                },
            },
            NDJSON: {
                "schema": {"type": "string"},
                "example": '{"id": "0b6c2a1e-…", "app": "demo", "campaign": "welcome"}\n'
                '{"login": "ann", "variables": {"name": "Ann"}}\n{"visitor": "v-1"}\n',
            },
        },
    }
}


def trigger_schemas() -> dict[str, Any]:
    """A trigger's schema and those that it is made of, as the OpenAPI document's components."""
    whole = Trigger.model_json_schema(by_alias=True, ref_template=SCHEMAS + "{model}")
    return {**whole.pop("$defs"), TRIGGER: whole}


def is_lines(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON


async def read_trigger(request: Request) -> bytes:
    """At most 1 MiB, refused before it is read whole."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TRIGGER_BYTES:
            raise TooLarge("a trigger has at most 1 MiB", code="trigger_too_large")
    return bytes(body)
