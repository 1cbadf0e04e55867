"""The OpenAPI description of the routes that are plain ASGI."""

from __future__ import annotations

from typing import Any

from ingest_service.api.event_docs import (
    EVENT_SCHEMA_REF,
    STREAM_BODY,
    VISITOR_ID_SCHEMA,
    WEBHOOK_BODY,
)
from shared.models.strict import MAX_FINDINGS

_ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_EVENT = {"$ref": EVENT_SCHEMA_REF}
_BATCH = {
    "oneOf": [
        _EVENT,
        {"type": "array", "items": _EVENT, "maxItems": 500},
        {
            "type": "object",
            "required": ["events"],
            "properties": {
                "events": {"type": "array", "items": _EVENT, "maxItems": 500},
                "sentAt": {"type": "string", "format": "date-time"},
            },
        },
    ]
}
_WARNING = {
    "type": "object",
    "properties": {
        "index": {"type": "integer"},
        "field": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
    },
}
_RECEIPT = {
    "type": "object",
    "properties": {
        "accepted": {"type": "integer"},
        "warnings": {
            "type": "array",
            "maxItems": MAX_FINDINGS,
            "description": "what was left out of accepted events; absent where nothing was",
            "items": _WARNING,
        },
        "warningsMore": {"type": "integer", "description": "how many more there are than listed"},
        "rejectedMore": {"type": "integer", "description": "how many more there are than listed"},
        "rejected": {
            "type": "array",
            "maxItems": MAX_FINDINGS,
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_KEY = {"name": "key", "in": "query", "schema": {"type": "string"}, "description": "write key"}
_WEBHOOK_KEY = {
    "name": "webhook_key",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}
_KEY_HEADER = {"name": "X-Write-Key", "in": "header", "schema": {"type": "string"}}


_PAGE_KEY = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
_ENVIRONMENT = {**_PAGE_KEY, "name": "environment", "description": "any: there is only one"}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _answers(good: dict[str, Any], **errors: str) -> dict[str, Any]:
    refused = {
        status[1:]: {"description": text, **_json(_ERROR)} for status, text in errors.items()
    }
    return {**good, **refused}


_KEY_REFUSALS = {"_401": "no, or an unknown key", "_403": "the app does not know this origin"}
_TOO_MUCH = "this key, or this address, sends too much; see Retry-After"


def _script(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """Describe a script's route. Errors are scripts too: comments with the reason."""
    content = {"content": {"text/javascript": {"schema": {"type": "string"}}}}
    answers = {
        "200": "configured for the key's app; cached for five minutes",
        "304": "as it was (If-None-Match)",
        "401": "no, or an unknown write key",
        "503": "the apps are not known yet; see Retry-After",
    }
    responses = {
        status: {"description": text, **({} if status == "304" else content)}
        for status, text in answers.items()
    }
    return {
        "get": {
            "summary": summary,
            "tags": ["snippet"],
            "parameters": list(parameters),
            "responses": responses,
        }
    }


PATHS: dict[str, Any] = {
    "/v1/snippet.js": _script("The browser snippet", {**_KEY, "required": True}),
    "/{key}/{environment}/persoo.js": _script(
        "The browser snippet, for Persoo's loader", _PAGE_KEY, _ENVIRONMENT
    ),
    "/{key}/{environment}/actions.js": _script(
        "What Persoo's loader waits for: shows the page", _PAGE_KEY, _ENVIRONMENT
    ),
    "/v1/events": {
        "post": {
            "summary": "Report events: one, a list, or a batch",
            "tags": ["events"],
            "parameters": [_KEY, _KEY_HEADER],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": _BATCH},
                    "text/plain": {"schema": _BATCH},
                },
            },
            "responses": _answers(
                {"202": {"description": "stored", **_json(_RECEIPT)}},
                **_KEY_REFUSALS,
                _413="more than 1 MiB, packed or unpacked",
                _415="neither application/json nor text/plain, or packed otherwise than with gzip",
                _422="no event is valid",
                _429=_TOO_MUCH,
                _503="can't be stored now; see Retry-After",
            ),
        }
    },
    "/v1/webhooks/onesignal/{webhook_key}": {
        "post": {
            "summary": "OneSignal's browser webhooks, v15 and v16",
            "tags": ["webhooks"],
            "parameters": [_WEBHOOK_KEY],
            "requestBody": {"required": True, **_json(WEBHOOK_BODY)},
            "responses": _answers(
                {"202": {"description": "stored, or can never count", **_json(_RECEIPT)}},
                _401="unknown webhook key",
                _413="more than 16 KiB",
                _422="not a webhook's body",
                _429="this address sends too much; see Retry-After",
                _503="can't be stored now; see Retry-After",
            ),
        }
    },
    "/v1/webhooks/onesignal/{webhook_key}/stream": {
        "post": {
            "summary": "OneSignal's Event Streams: flat or nested keys, quoted or not",
            "tags": ["webhooks"],
            "parameters": [_WEBHOOK_KEY],
            "requestBody": {"required": True, **_json(STREAM_BODY)},
            "responses": _answers(
                {"202": {"description": "stored, or can never count", **_json(_RECEIPT)}},
                _401="unknown webhook key, or not its app's secret",
                _413="more than 64 KiB",
                _422="not an event of a stream",
                _503="can't be stored now; see Retry-After",
            ),
        }
    },
    "/v1/check": {
        "post": {
            "summary": "What would become of events; nothing is stored",
            "tags": ["events"],
            "parameters": [_KEY, _KEY_HEADER],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _BATCH}}},
            "responses": _answers(
                {"202": {"description": "as of /v1/events", **_json(_RECEIPT)}},
                **_KEY_REFUSALS,
                _413="larger than 32 KiB",
                _422="no events",
                _429=_TOO_MUCH,
            ),
        }
    },
    "/v1/profile": {
        "get": {
            "summary": "What came under this visitor id",
            "tags": ["profile"],
            "parameters": [
                _KEY,
                _KEY_HEADER,
                {
                    "name": "visitorId",
                    "in": "query",
                    "required": True,
                    "schema": VISITOR_ID_SCHEMA,
                },
            ],
            "responses": _answers(
                {"200": {"description": "the visitor", **_json({"type": "object"})}},
                **_KEY_REFUSALS,
                _422="not a visitor id",
                _429=_TOO_MUCH,
                _503="profiles can't be read now",
            ),
        }
    },
}
