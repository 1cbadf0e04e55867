"""POST /v1/webhooks/onesignal/{webhook_key}: what visitors' service workers report."""

from __future__ import annotations

import logging

from starlette.responses import Response

from ingest_service.api.door import Call
from ingest_service.auth import MAX_KEY
from ingest_service.collector import Collector
from ingest_service.webhook_bodies import WebhookBody, read_webhook
from shared import metrics
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.errors import InvalidPayload, Unauthorized
from shared.http import json_response
from shared.ids import derived_id
from shared.models.app import App
from shared.models.event import ONESIGNAL_WEBHOOK, Event

log = logging.getLogger("carillon.ingest")

MAX_BODY_BYTES = 16 * 1024  # the SDK's bodies are below 4 KB by design


class OneSignalWebhooks:
    """Unsigned and sent from anywhere, so every origin may; what they claim is judged later."""

    method = "POST"
    headers = "content-type, x-onesignal-event"

    def __init__(self, apps: AppRegistry, collector: Collector, clock: Clock) -> None:
        self._apps = apps
        self._collector = collector
        self._clock = clock

    async def preflight(self, call: Call) -> None:
        """Any origin: the workers run on the shops' own."""

    async def answer(self, call: Call) -> Response:
        key = call.path("webhook_key")
        if len(key) > MAX_KEY:
            raise Unauthorized("unknown webhook key", code="unknown_key")
        app = self._apps.by_key("webhook", key)
        raw = await call.body(MAX_BODY_BYTES)
        try:
            body = read_webhook(raw)
        except InvalidPayload as exc:
            metrics.EVENTS_REJECTED.labels(exc.code).inc()
            raise
        reason = body.uncountable
        if reason is not None:
            metrics.WEBHOOKS_UNCOUNTABLE.labels(app.id, reason).inc()
            return json_response({"accepted": 0, "rejected": []}, 202)
        await self._collector.store([self._event(app, body)])
        return json_response({"accepted": 1, "rejected": []}, 202)

    def _event(self, app: App, body: WebhookBody) -> Event:
        """Named by what it says, so that a repetition is the same event."""
        data = body.data()
        now = self._clock()
        claim = (body.kind, data["notificationId"], data["playerID"], data.get("action", ""))
        return Event(
            app=app.id,
            id=derived_id(app.id, *claim),
            type=ONESIGNAL_WEBHOOK,
            source="webhook",
            player_id=data["playerID"],
            occurred_at=now,
            received_at=now,
            data=data,
        )
