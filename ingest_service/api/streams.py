"""POST /v1/webhooks/onesignal/{webhook_key}/stream: OneSignal's Event Streams, from its servers."""

from __future__ import annotations

from datetime import timedelta

from ingest_service.api.access import AccessControl
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, accepted_response
from ingest_service.collect.collector import Collector
from ingest_service.onesignal.event_stream_body import StreamBody, read_stream
from ingest_service.parsing.event_time import correct
from shared import metrics
from shared.clock import Clock
from shared.errors import InvalidPayload
from shared.events.registry import STREAM
from shared.ids import derived_id
from shared.models.app import App
from shared.models.event import Event

MAX_STREAM_BODY_BYTES = (
    64 * 1024
)  # whatever the customer's template holds; all its fields together are smaller
BEARER = "bearer "


class EventStreams:
    """Handler for Event Streams. OneSignal repeats an event until the response is 2xx."""

    method = "POST"
    headers = "authorization, content-type"

    def __init__(self, access: AccessControl, collector: Collector, clock: Clock) -> None:
        self._access = access
        self._collector = collector
        self._clock = clock

    async def preflight(self, request: RawRequest) -> None:
        """Accept any preflight: no page calls this, and the response has nothing to protect."""

    async def handle(self, request: RawRequest) -> RawResponse:
        app, _, charge = self._access.authorize_event_stream(request, _secret(request))
        raw = await request.body(charge, MAX_STREAM_BODY_BYTES)
        charge.pay_for_events()
        try:
            body = read_stream(raw)
        except InvalidPayload as exc:
            metrics.EVENTS_REJECTED.labels(exc.code).inc()
            raise
        reason = body.unattributable_reason
        if reason is not None:  # not an error: OneSignal would disable a stream that is refused
            metrics.WEBHOOKS_UNATTRIBUTABLE.labels(app.id, reason).inc()
            return accepted_response(0)
        await self._collector.store(self._event(app, body))
        return accepted_response(1)

    def _event(self, app: App, body: StreamBody) -> Event:
        """Return the body as an event, its id derived from OneSignal's id, else from its content."""
        payload, now = body.payload(), self._clock()
        data = payload.data()
        content = (str(value) for value in (*data.values(), body.occurred_at))
        return Event(
            app=app.id,
            id=derived_id(app.id, "stream", *([body.id] if body.id else content)),
            type=STREAM,
            source="stream",
            player_id=payload.player_id,
            occurred_at=correct(body.occurred_at, timedelta(0), now),
            received_at=now,
            data=data,
        )


def _secret(request: RawRequest) -> str:
    given = request.header(b"authorization") or ""
    return given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""
