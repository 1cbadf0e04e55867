"""POST /v1/check: validates events for `carillon('check')` and stores nothing."""

from __future__ import annotations

from ingest_service.api.access import AccessControl, KeyedHandler
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, receipt_response
from ingest_service.collect.batch import MAX_EVENT_BYTES, read_batch
from ingest_service.collect.collector import Collector


class Check(KeyedHandler):
    """Handler for smaller batches than `POST /v1/events`; it responds 202 even if it rejects all."""

    method = "POST"
    headers = "content-type, x-write-key"

    def __init__(self, access: AccessControl, collector: Collector) -> None:
        super().__init__(access)
        self._collector = collector

    async def handle(self, request: RawRequest) -> RawResponse:
        app, source, charge = self._access.authorize(request)
        batch = read_batch(await request.body(charge, MAX_EVENT_BYTES))
        charge.pay_for_events(len(batch.events))
        return receipt_response(self._collector.check(app, source, batch))
