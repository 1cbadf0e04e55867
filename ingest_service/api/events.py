"""POST /v1/events: what pages and servers report."""

from __future__ import annotations

from functools import lru_cache

from ingest_service.api.answers import Answer, accepted_answer
from ingest_service.api.bodies import UnsupportedMediaType
from ingest_service.api.door import Call
from ingest_service.api.gate import Gate
from ingest_service.batch import MAX_REQUEST_BYTES, read_batch
from ingest_service.collector import Collector
from ingest_service.crawlers import is_crawler

# text/plain: sendBeacon; the form's type is what `curl -d` says of any body.
MEDIA_TYPES = frozenset({b"application/json", b"text/plain", b"application/x-www-form-urlencoded"})


class Events:
    method = "POST"
    headers = "content-type, content-encoding, x-write-key"

    def __init__(self, gate: Gate, collector: Collector) -> None:
        self._gate = gate
        self._collector = collector

    async def preflight(self, call: Call) -> None:
        self._gate.check_preflight(call)

    async def answer(self, call: Call) -> Answer:
        guest = self._gate.admit(call)
        if not _is_taken(call.headers.get(b"content-type", b"")):
            raise UnsupportedMediaType("send application/json or text/plain")
        batch = read_batch(await call.body(MAX_REQUEST_BYTES))
        if len(batch.events) > 1:
            self._gate.charge(guest, len(batch.events) - 1)
        crawler = guest.source == "browser" and is_crawler(call.header(b"user-agent") or "")
        receipt = await self._collector.collect(guest.app, guest.source, batch, crawler=crawler)
        rejected = [one.report() for one in receipt.rejected]
        return accepted_answer(receipt.accepted, rejected, [one.report() for one in receipt.warned])


@lru_cache(256)
def _is_taken(media_type: bytes) -> bool:
    return not media_type or media_type.split(b";")[0].strip().lower() in MEDIA_TYPES
