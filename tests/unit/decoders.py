"""Decoders of input, each with something valid for it to read; and which modules decode at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import httpx
import orjson

from ingest_service.collect.batch import read_batch
from ingest_service.collect.event_validator import EventValidator, RequestContext
from ingest_service.importer.row_event import to_event
from ingest_service.onesignal.event_stream_body import read_stream
from ingest_service.onesignal.webhook_body import read_webhook
from ingest_service.projector.decode import decode
from sender_service.intake.lines import read_head, read_recipient
from sender_service.intake.request import parse_request
from sender_service.models.send import EVER, NEVER
from sender_service.models.trigger import parse_trigger
from sender_service.ops.export import plain
from sender_service.ops.preview_request import read_whole
from sender_service.privacy.subject import DataSubject, names_person
from sender_service.providers.onesignal.connection_check import parse_result
from sender_service.store.scenario_codec import encode_body
from shared.kafka.records import Record
from shared.kafka.topics import DELIVERIES_TOPIC, EVENTS_TOPIC
from shared.models.app import App
from shared.models.dead_letter import DeadLetter
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.models.job import Job
from shared.models.person_moment import PersonMoment
from shared.models.wire import load_json
from shared.secrets import Vault
from tests.support.scenarios import BODY as SCENARIO
from tests.support.scenarios import read_scenario

UUID = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
AT = "2026-05-01T12:00:00.000Z"
PLACE: dict[str, Any] = {"app": "demo", "send": UUID, "page": 0, "chunk": "0"}
WEBHOOK: dict[str, Any] = {
    "event": "notification.clicked",
    "id": UUID,
    "userId": UUID,
    "action": "a",
    "data": {},
}
STREAM: dict[str, Any] = {
    "event.kind": "message.push.received",
    "message": {"id": UUID},
    "event.timestamp": "1",
}
CONDITION: dict[str, Any] = {"basket": {"total": {"atLeast": 5}, "within": {"days": 3}}}
SEGMENT: dict[str, Any] = {"id": UUID, "app": "demo", "campaign": "c"}
SEGMENT |= {"audience": {"segment": {"and": [CONDITION, {"not": {"viewed": {"items": ["i"]}}}]}}}
TRIGGER: dict[str, Any] = {
    "id": UUID,
    "app": "demo",
    "campaign": "c",
    "audience": {"players": [UUID]},
    "part": 1,
}
JOB: dict[str, Any] = {
    **PLACE,
    "generation": 1,
    "priority": "marketing",
    "idempotencyKey": UUID,
    "players": [UUID],
}
JOB |= {"body": {"contents": {"en": "x"}}, "expiresAt": AT, "releasedAt": AT}
DELIVERY: dict[str, Any] = {
    **PLACE,
    "outcome": "sent",
    "players": [{"player": UUID, "outcome": "failed"}],
    "at": AT,
}
EVENT: dict[str, Any] = {
    "app": "demo",
    "id": UUID,
    "type": "carillon.undoMerge",
    "source": "ops",
    "visitorId": "v",
}
EVENT |= {"occurredAt": AT, "receivedAt": AT, "data": {"merge": ["a", "b"]}}
MOMENT: dict[str, Any] = {"app": "demo", "person": "p", "seenAt": AT, "subscribed": 1}
MOMENT["facts"] = [
    {"id": UUID, "at": AT, "kind": "basket", "items": [{"item": "i", "quantity": 1}], "total": 5},
    {"id": UUID, "at": AT, "kind": "event", "type": "quiz", "data": {"score": 5}},
]
DEAD_LETTER = {
    "id": UUID,
    "stage": "s",
    "topic": "t",
    "partition": 0,
    "offset": 0,
    "type": "t",
    "at": AT,
}
DEAD_LETTER |= {"key": "", "value": "", "code": "c", "message": "m"}
BATCH: dict[str, Any] = {
    "sentAt": AT,
    "events": [{"type": "pageview", "visitorId": "v", "data": {"itemID": "i"}}],
}

HEAD: dict[str, Any] = {"id": UUID, "app": "demo", "campaign": "c", "expiresAt": AT}
LINE: dict[str, Any] = {"login": "ann", "variables": {"name": "Ann"}}
TRIGGER_WITHOUT_ID: dict[str, Any] = {"app": "demo", "campaign": "c", "recipients": [LINE]}
TAGS: dict[str, Any] = {"city": "Brno", "age": 5}
COUNTS: dict[str, Any] = {"players": 3, "messageable_players": 2}
REFUSAL: dict[str, Any] = {"errors": [{"code": "c", "title": "t"}]}
REPORT: dict[str, Any] = {"id": UUID, "visitorId": "v", "occurredAt": AT, "page": {"url": "u"}}
BASKET = {"i": {"quantity": 1, "price": "9,50"}}
DATA: dict[str, dict[str, Any]] = {
    "oneSignal": {"playerID": UUID, "status": -2},
    "oneSignalWebhook": {"kind": "click", "notificationId": UUID, "playerID": UUID, "data": {}},
    "pageview": {"itemID": 5, "basketItems": BASKET, "transaction": {"id": "o1", "tax": 1}},
    "addToBasket": {"itemID": "i", "quantity": 2, "currency": "Kč"},
    "removeFromBasket": {"itemID": "i"},
    "purchase": {"id": "o1", "items": [{"itemID": "i", "price": 5}], "revenue": "1 234,50"},
    "identify": {"login": "ann", "email": "ann@shop.test"},
    "logout": {},
    "custom": {"any": [{"thing": 1.5}]},
}
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SHOP = {"_id": "demo", "name": "d", "version": 1, "oneSignal": {"appId": "a", "restApiKey": "k"}}
ARRIVAL = RequestContext(App.model_validate(SHOP), "browser", NOW, timedelta(0), 400, 100, False)
VALIDATOR = EventValidator.of(Vault("k" * 40))
SOME = {"x": NEVER}
NOBODY = DataSubject("demo", SOME, SOME, SOME, SOME, hash_of=str)


def _projected(raw: bytes) -> object:
    kind = orjson.loads(raw).get("type") if raw.startswith(b"{") else ""
    topic = DELIVERIES_TOPIC.name if b'"outcome"' in raw else EVENTS_TOPIC.name
    return decode(Record(topic, 0, 0, b"k", raw, kind if isinstance(kind, str) else "", 0))


def _reported(raw: bytes) -> object:
    return VALIDATOR.validate(load_json(raw), ARRIVAL)


def _imported(raw: bytes) -> object:
    return to_event({"id": UUID, "tags": raw.decode(errors="replace")}, "demo", NOW)


def _scenario(raw: bytes) -> object:
    return bson.encode(encode_body(read_scenario(load_json(raw))))


Decoder = Callable[[bytes], object]
DECODERS: dict[str, tuple[Decoder, dict[str, Any]]] = {
    "webhook": (read_webhook, WEBHOOK),
    "stream": (read_stream, STREAM),
    "batch": (read_batch, BATCH),
    "trigger": (parse_trigger, TRIGGER),
    "intake": (parse_request, TRIGGER),
    "segment": (parse_trigger, SEGMENT),
    "scenario": (_scenario, SCENARIO),
    "job": (Job.parse, JOB),
    "delivery": (Delivery.parse, DELIVERY),
    "event": (Event.parse, EVENT),
    "moment": (PersonMoment.parse, MOMENT),
    "letter": (DeadLetter.parse, DEAD_LETTER),
    "projected": (_projected, EVENT),
    "head of a list": (lambda raw: read_head((1, raw)), HEAD),
    "line of a list": (lambda raw: read_recipient(2, raw, 0), LINE),
    "preview": (read_whole, TRIGGER_WITHOUT_ID),
    "import row": (_imported, TAGS),
    "dead letter shown": (lambda raw: plain(DeadLetter.decode(DeadLetter.pack(raw))), EVENT),
    "dead letter erased": (lambda raw: names_person(load_json(raw), NOBODY, EVER), EVENT),
    "connection": (lambda raw: plain(parse_result(httpx.Response(200, content=raw))), COUNTS),
    "refusal": (lambda raw: plain(parse_result(httpx.Response(400, content=raw))), REFUSAL),
    **{
        f"event {name}": (_reported, {**REPORT, "type": name, "data": data})
        for name, data in DATA.items()
    },
}

OWN = "documents that we wrote, or a model that was read elsewhere"
# Every module that reads JSON, BSON or what came from elsewhere, and where that is tried.
READERS = {
    "shared/apps.py": OWN,
    "shared/settings.py": "tests/unit/shared/test_environment.py: an operator's own list",
    "shared/events/registry.py": "projected; tests/unit/shared/test_event_payloads.py",
    "shared/models/dead_letter.py": "letter, dead letter shown",
    "shared/models/strict.py": "trigger; tests/unit/shared/test_strict.py",
    "shared/models/wire.py": "job, delivery, event, letter, moment",
    "ingest_service/api/profile.py": "tests/faults/test_schemas.py: a visitor id",
    "ingest_service/collect/batch.py": "batch",
    "ingest_service/parsing/bounded_json.py": "webhook",
    "ingest_service/collect/collector.py": "event …",
    "ingest_service/collect/event_validator.py": "event …",
    "ingest_service/importer/row_event.py": "import row",
    "ingest_service/importer/command.py": OWN,
    "ingest_service/parsing/field_notes.py": "event …",
    "ingest_service/api/app_cache.py": "tests/unit/ingest/test_app_disk_cache.py",
    "ingest_service/projector/decode.py": "projected",
    "ingest_service/snapshot/files.py": "test_head_of_a_snapshot; test_snapshots.py",
    "ingest_service/durable/spool_name.py": "tests/unit/ingest/test_spool.py",
    "ingest_service/onesignal/event_stream_body.py": "stream",
    "ingest_service/onesignal/webhook_body.py": "webhook",
    "sender_service/privacy/stage.py": "event",
    "sender_service/privacy/records.py": "dead letter erased",
    "sender_service/accounting/stage.py": "delivery, event",
    "sender_service/scenarios/entries.py": "moment",
    "sender_service/scenarios/backfilling.py": "moment",
    "sender_service/cli/answers.py": "a person's own command",
    "sender_service/cli/ops.py": "a person's own command",
    "sender_service/dispatcher/dispatcher.py": "job",
    "sender_service/providers/onesignal/responses.py": "test_onesignals_answers",
    "sender_service/fast_path/planning.py": OWN,
    "sender_service/intake/lines.py": "head of a list, line of a list",
    "sender_service/intake/upload.py": OWN,
    "sender_service/models/decide/made_entry.py": OWN,
    "sender_service/models/campaign.py": OWN,
    "sender_service/models/formats.py": "tests/unit/sender/test_text_values.py",
    "sender_service/models/scenario/entry_language.py": "scenario",
    "sender_service/models/scenario/step_language.py": "scenario",
    "sender_service/models/segment.py": "segment",
    "sender_service/models/templates.py": "tests/unit/sender/test_rendering.py",
    "sender_service/models/trigger.py": "trigger, segment",
    "sender_service/models/trigger_parts.py": "trigger",
    "sender_service/ops/bodies.py": "tests/contract/sender/test_strict_bodies.py",
    "sender_service/ops/campaigns.py": "tests/contract/sender/test_campaign_dry_run.py",
    "sender_service/ops/dead_letters.py": "letter, dead letter shown",
    "sender_service/ops/preview_request.py": "preview",
    "sender_service/ops/scenario_list.py": OWN,
    "sender_service/ops/scenario_preview_steps.py": OWN,
    "sender_service/ops/scenario_templates.py": OWN,
    "sender_service/store/histories.py": "moment",
    "sender_service/providers/onesignal/connection_check.py": "connection, refusal",
    "sender_service/providers/webpush/provider.py": "test_second_provider.py: its settings",
    "sender_service/planner/recipients.py": OWN,
    "sender_service/planner/planner.py": OWN,
    "sender_service/planner/target.py": OWN,
    "sender_service/pages/quiet_hours.py": OWN,
    "sender_service/pages/transitions.py": OWN,
    "sender_service/store/parked.py": OWN,
    "sender_service/store/scenario_codec.py": OWN,
}
