"""GET /v1/profile: the data of a page's own visitor."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from ingest_service.api.access import AccessControl, KeyedHandler
from ingest_service.api.endpoint import RawRequest
from ingest_service.api.raw_http import RawResponse, raw_json_response
from ingest_service.collect.event_schemas import VisitorId
from shared.errors import FieldError, InvalidPayload, StoreUnavailable

VIEW_SECONDS = 0.8  # seen: 1 ms; a page waits for it, and a database that hangs gives no sign
_VISITOR_ID: TypeAdapter[str] = TypeAdapter(VisitorId)


class VisitorViews(Protocol):
    """Views of one visitor id's data: `{"oneSignal", "affinityToOneSignalPlayerID"}`."""

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        """Return the view. Raises StoreUnavailable."""
        ...


class Profile(KeyedHandler):
    method = "GET"
    headers = "content-type, x-write-key"

    def __init__(self, access: AccessControl, views: VisitorViews) -> None:
        super().__init__(access)
        self._views = views

    async def handle(self, request: RawRequest) -> RawResponse:
        app, _, charge = self._access.authorize(request)
        charge.pay_for_events()
        visitor = _visitor(request.query("visitorId"))
        try:
            async with asyncio.timeout(VIEW_SECONDS):
                db = await self._views.view(app.id, visitor)
        except TimeoutError as exc:
            raise StoreUnavailable("profiles can't be read now") from exc
        return raw_json_response(
            {"visitorId": visitor, "db": db}, 200, {"Cache-Control": "no-store"}
        )


def _visitor(value: str | None) -> str:
    try:
        return _VISITOR_ID.validate_python(value)
    except ValidationError as exc:
        message = "must be 1 to 64 characters of A-Z a-z 0-9 _ - . :"
        error = FieldError("visitorId", "visitor_id", message)
        raise InvalidPayload(f"visitorId: {message}", errors=[error]) from exc
