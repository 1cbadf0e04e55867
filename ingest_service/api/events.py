"""POST /v1/events: what pages and servers report."""

from __future__ import annotations

from functools import lru_cache

from ingest_service.api.access import AccessControl, KeyedHandler
from ingest_service.api.bodies import UnsupportedMediaType
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, accepted_response, receipt_response
from ingest_service.collect.batch import EMPTY_BATCH, MAX_REQUEST_BYTES, read_batch
from ingest_service.collect.collector import Collector
from ingest_service.parsing.crawlers import is_crawler
from shared.errors import InvalidPayload

# text/plain: sendBeacon; the form's type is what `curl -d` sends with any body.
MEDIA_TYPES = frozenset({b"application/json", b"text/plain", b"application/x-www-form-urlencoded"})


class Events(KeyedHandler):
    method = "POST"
    headers = "content-type, content-encoding, x-write-key"

    def __init__(self, access: AccessControl, collector: Collector) -> None:
        super().__init__(access)
        self._collector = collector

    async def handle(self, request: RawRequest) -> RawResponse:
        caller = self._access.authorize(request)
        if not _is_taken(request.headers.get(b"content-type", b"")):
            raise UnsupportedMediaType("send application/json or text/plain")
        body = await request.body(caller.charge, MAX_REQUEST_BYTES)
        try:
            batch = read_batch(body)
        except InvalidPayload as exc:
            if exc.code == EMPTY_BATCH and request.query("check") is not None:
                return accepted_response(0)  # a page's console shows any refusal in red
            raise
        caller.charge.pay_for_events(len(batch.events))
        crawler = caller.source == "browser" and is_crawler(request.header(b"user-agent") or "")
        receipt = await self._collector.collect(caller.app, caller.source, batch, crawler=crawler)
        return receipt_response(receipt)


@lru_cache(256)
def _is_taken(media_type: bytes) -> bool:
    return not media_type or media_type.split(b";")[0].strip().lower() in MEDIA_TYPES
