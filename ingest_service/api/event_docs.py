"""OpenAPI schemas of bodies: events by their type, webhooks, Event Streams."""

from __future__ import annotations

from typing import Any

from ingest_service.collect.event_schemas import EVENT_MODELS, TYPE_NAME
from ingest_service.collect.login_visitors import OF_BROWSERS
from ingest_service.onesignal.event_stream_body import EVENT_STREAM_KINDS as STREAM_KINDS
from ingest_service.onesignal.event_stream_body import STREAM_KIND_PREFIX
from ingest_service.onesignal.webhook_body import INTERACTION_OF_WEBHOOK as WEBHOOK_KINDS
from ingest_service.parsing.input_model import InputModel
from shared.events.registry import ONESIGNAL, ONESIGNAL_WEBHOOK
from shared.ids import VISITOR_ID_PATTERN
from shared.models.documented import EXAMPLE_PLAYER_ID, SCHEMA_REF_PREFIX
from shared.names import MAX_LOGIN

Schema = dict[str, Any]
EVENT_SCHEMA_REF = f"{SCHEMA_REF_PREFIX}Event"


def _portable(schema: Any) -> Any:
    r"""Return the schema with patterns that end with `$`, where pydantic's end with `\z`."""
    if isinstance(schema, dict):
        return {key: _portable(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_portable(one) for one in schema]
    return schema.replace(r"\z", "$") if isinstance(schema, str) else schema


PUSH = "5c0f6a2b-3a55-4f57-8f0e-6f4f0a8d6b1c"
TAG = f"v1.k1.{PUSH}.0.0.mac"
UUID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string", "maxLength": 256}
TITLE_SCHEMA: Schema = {"type": "string", "maxLength": 1_024}
URL: Schema = {"type": "string", "maxLength": 8_192}
DATE_TIME_SCHEMA: Schema = {"type": "string", "format": "date-time"}
VISITOR_ID_SCHEMA: Schema = _portable({"type": "string", "pattern": VISITOR_ID_PATTERN})
TYPE: Schema = _portable({"type": "string", "pattern": TYPE_NAME})
CUSTOM: Schema = {
    **TYPE,
    "not": {"anyOf": [{"enum": list(EVENT_MODELS)}, {"pattern": r"^carillon\."}]},
}

STATUS: Schema = {
    "type": "object",
    "required": ["playerID", "status"],
    "properties": {
        "playerID": UUID,
        "status": {
            "anyOf": [
                {"enum": ["subscribed", "optedOut", "blocked", "default"]},
                {"type": "integer", "minimum": -9_999, "maximum": 9_999},
            ],
            "description": "or OneSignal's number",
        },
        "permission": {"enum": ["default", "granted", "denied"]},
    },
}
INTERACTION: Schema = {
    "type": "object",
    "required": ["kind", "notificationId", "playerID"],
    "properties": {
        "kind": {"enum": ["impression", "click", "close"]},
        "notificationId": UUID,
        "playerID": UUID,
        "action": TEXT,
        "url": URL,
        "data": {"type": "object", "description": "with the push's tag as `carillon`"},
    },
}
HANDWRITTEN = {ONESIGNAL: STATUS, ONESIGNAL_WEBHOOK: INTERACTION}
VISITOR_OR_LOGIN = {"anyOf": [{"required": ["visitorId"]}, {"required": ["login"]}]}
LOGIN_SCHEMA: Schema = {
    "type": "string", "minLength": 1, "maxLength": MAX_LOGIN,
    "description": "with a server key, instead of visitorId: whose event it is",
}  # fmt: skip
LOGIN_OR_EMAIL = {"anyOf": [{"required": ["login"]}, {"required": ["email"]}]}

WEBHOOK_BODY: Schema = {
    "type": "object",
    "required": ["event"],
    "properties": {
        "event": {"enum": list(WEBHOOK_KINDS)},
        "notificationId": {**UUID, "description": "v16; v15 says `id`"},
        "id": UUID,
        "subscriptionId": {**UUID, "description": "v16; v15 says `userId`"},
        "userId": UUID,
        "actionId": {**TEXT, "description": "v16; v15 says `action`"},
        "action": TEXT,
        "url": URL,
        "additionalData": {"type": "object", "description": "v16; v15 says `data`"},
        "data": {"type": "object"},
    },
    "examples": [
        {
            "event": "notification.clicked",
            "notificationId": PUSH,
            "subscriptionId": EXAMPLE_PLAYER_ID,
            "additionalData": {"carillon": TAG},
        },
        {
            "event": "notification.displayed",
            "id": PUSH,
            "userId": EXAMPLE_PLAYER_ID,
            "data": {"carillon": TAG},
        },
    ],
}
STREAM_BODY: Schema = {
    "type": "object",
    "description": "flat as here, or nested; whatever else the template says is ignored",
    "required": ["event.kind"],
    "properties": {
        "event.kind": {"enum": [STREAM_KIND_PREFIX + kind for kind in sorted(STREAM_KINDS)]},
        "event.id": TEXT,
        "event.timestamp": {**TEXT, "description": "Unix seconds or milliseconds, or ISO 8601"},
        "event.subscription_id": UUID,
        "event.data.failure_reason": TEXT,
        "message.id": UUID,
        "message.name": {**TEXT, "description": "the push's tag"},
    },
    "examples": [
        {
            "event.kind": f"{STREAM_KIND_PREFIX}received",
            "event.subscription_id": EXAMPLE_PLAYER_ID,
            "message.id": PUSH,
            "message.name": TAG,
        }
    ],
}


def event_schemas() -> Schema:
    """Return the components: a custom event, or one of a known type with that type's data."""
    components: Schema = {}
    kinds = [_event(CUSTOM, {"type": "object"}, of_browser=False)]
    for name, model in EVENT_MODELS.items():
        data, of_browser = _data(name, model, components), name in OF_BROWSERS
        kinds.append(_event({"const": name}, data, of_browser=of_browser))
    return {**components, "Event": {"anyOf": kinds}}


def _event(kind: Schema, data: Schema, *, of_browser: bool) -> Schema:
    required = ["type", *(["visitorId"] if of_browser else [])]
    return {
        "type": "object",
        "required": [*required, *(["data"] if data.get("required") else [])],
        **({} if of_browser else VISITOR_OR_LOGIN),
        "properties": {
            "id": {**UUID, "description": "makes repetition harmless"},
            "type": kind,
            "visitorId": VISITOR_ID_SCHEMA,
            **({} if of_browser else {"login": LOGIN_SCHEMA}),
            "occurredAt": DATE_TIME_SCHEMA,
            "page": {
                "type": "object",
                "properties": {"url": URL, "title": TITLE_SCHEMA, "referrer": URL},
            },
            "context": {"type": "object", "description": "timeZone, language, browser, sdk"},
            "data": data,
        },
    }


def _data(name: str, model: type[InputModel], components: Schema) -> Schema:
    if name in HANDWRITTEN:  # these models have other fields than their input
        return HANDWRITTEN[name]
    schema = _portable(model.model_json_schema(ref_template=SCHEMA_REF_PREFIX + "{model}"))
    components.update(schema.pop("$defs", {}))
    return {**schema, **(LOGIN_OR_EMAIL if name == "identify" else {})}
