"""POST /v1/events: what pages and servers report."""

from __future__ import annotations

from starlette.responses import Response

from ingest_service.api.door import Call, UnsupportedMediaType, check_origin
from ingest_service.auth import identify_caller
from ingest_service.batch import MAX_REQUEST_BYTES
from ingest_service.collector import Collector
from shared.apps import AppRegistry
from shared.http import json_response

MEDIA_TYPES = frozenset({"application/json", "text/plain"})  # text/plain: sendBeacon


class Events:
    method = "POST"
    headers = "content-type, x-write-key"

    def __init__(self, apps: AppRegistry, collector: Collector) -> None:
        self._apps = apps
        self._collector = collector

    async def preflight(self, call: Call) -> None:
        """A preflight carries no header's key; then the request itself is judged."""
        key = call.query("key")
        if key is not None:
            check_origin(call, identify_caller(self._apps, key)[0])

    async def answer(self, call: Call) -> Response:
        app, source = identify_caller(self._apps, call.header(b"x-write-key") or call.query("key"))
        check_origin(call, app)
        media_type = call.header(b"content-type")
        if media_type and media_type.split(";")[0].strip().lower() not in MEDIA_TYPES:
            raise UnsupportedMediaType("send application/json or text/plain")
        body = await call.body(MAX_REQUEST_BYTES)
        receipt = await self._collector.collect(app, source, body)
        return json_response(receipt.report(), 202)
