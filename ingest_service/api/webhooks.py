"""POST /v1/webhooks/onesignal/{webhook_key}: reports of visitors' service workers."""

from __future__ import annotations

import logging

from ingest_service.api.access import AccessControl
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, accepted_response
from ingest_service.collect.collector import Collector
from ingest_service.onesignal.webhook_body import WebhookBody, read_webhook
from shared import metrics
from shared.clock import Clock
from shared.errors import InvalidPayload
from shared.events.registry import ONESIGNAL_WEBHOOK
from shared.ids import derived_id
from shared.models.app import App
from shared.models.event import Event

log = logging.getLogger("carillon.ingest")

MAX_WEBHOOK_BODY_BYTES = 16 * 1024  # the SDK's bodies are below 4 KB by design


class OneSignalWebhooks:
    """Handler for webhooks: unsigned, from any origin; accounting verifies their claims."""

    method = "POST"
    headers = "content-type, x-onesignal-event"

    def __init__(self, access: AccessControl, collector: Collector, clock: Clock) -> None:
        self._access = access
        self._collector = collector
        self._clock = clock

    async def preflight(self, request: RawRequest) -> None:
        """Accept any origin: the workers run on the shops' own."""

    async def handle(self, request: RawRequest) -> RawResponse:
        app, _, charge = self._access.authorize_webhook(request)
        raw = await request.body(charge, MAX_WEBHOOK_BODY_BYTES)
        charge.pay_for_events()
        try:
            body = read_webhook(raw)
        except InvalidPayload as exc:
            # `carillon('check')` asks whether the key is known.
            if request.query("check") is not None:
                return accepted_response(0)
            metrics.EVENTS_REJECTED.labels(exc.code).inc()
            raise
        reason = body.unattributable_reason
        if reason is not None:
            metrics.WEBHOOKS_UNATTRIBUTABLE.labels(app.id, reason).inc()
            return accepted_response(0)
        await self._collector.store(self._event(app, body))
        return accepted_response(1)

    def _event(self, app: App, body: WebhookBody) -> Event:
        """Return the body as an event, its id derived from its content."""
        now = self._clock()
        # A repetition has the same content, and so the same id.
        claim = (body.kind, body.message_id, body.player_id, body.action or "")
        return Event(
            app=app.id,
            id=derived_id(app.id, *claim),
            type=ONESIGNAL_WEBHOOK,
            source="webhook",
            player_id=body.player_id,
            occurred_at=now,
            received_at=now,
            data={**body.payload()},
        )
