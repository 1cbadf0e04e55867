"""Bodies in the OpenAPI document: FastAPI doesn't know those that routes read themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sender_service.models.trigger import Trigger
from sender_service.ops.bodies import NDJSON, body_of
from shared.models.documented import SCHEMA_REF_PREFIX

TRIGGER_SCHEMA = Trigger.__name__
TRIGGER_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": SCHEMA_REF_PREFIX + TRIGGER_SCHEMA},
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


def add_bodies(routers: Sequence[APIRouter], document: dict[str, Any]) -> None:
    """Add the routes' bodies and their schemas to the document, in place."""
    models: list[type[BaseModel]] = [Trigger]
    for route in (route for router in routers for route in router.routes):
        body = body_of(route) if isinstance(route, APIRoute) else None
        if body is None or not isinstance(route, APIRoute):
            continue
        models.append(body[0])
        for method in route.methods or ():
            document["paths"][route.path_format][method.lower()]["requestBody"] = _body(*body)
    modes = [(model, "validation") for model in dict.fromkeys(models)]
    _, schemas = models_json_schema(modes, ref_template=SCHEMA_REF_PREFIX + "{model}")  # type: ignore[arg-type]
    definitions = schemas["$defs"]
    for schema in definitions.values():
        _close(schema)
    document["components"]["schemas"].update(definitions)


def _body(model: type[BaseModel], example: object) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": SCHEMA_REF_PREFIX + model.__name__}}
    if example is not None:
        content["example"] = example
    return {"required": True, "content": {"application/json": content}}


def _close(schema: dict[str, Any]) -> None:
    """Mark an object's schema as one without further keys: the API refuses them."""
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
