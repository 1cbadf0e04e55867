"""POST /v1/check: what would become of events, for `carillon('check')`; nothing is stored."""

from __future__ import annotations

from ingest_service.api.access import AccessControl
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, receipt_answer
from ingest_service.collect.batch import MAX_EVENT_BYTES, read_batch
from ingest_service.collect.collector import Collector


class Check:
    """Takes what `POST /v1/events` takes, smaller, and answers 202 also where all is refused."""

    method = "POST"
    headers = "content-type, x-write-key"

    def __init__(self, gate: AccessControl, collector: Collector) -> None:
        self._gate = gate
        self._collector = collector

    async def preflight(self, call: RawRequest) -> None:
        self._gate.check_preflight(call)

    async def answer(self, call: RawRequest) -> RawResponse:
        app, source, charge = self._gate.admit(call)
        batch = read_batch(await call.body(charge, MAX_EVENT_BYTES))
        charge.pay_for_events(len(batch.events))
        return receipt_answer(self._collector.check(app, source, batch))
