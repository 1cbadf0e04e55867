"""GET /v1/profile: what a page may know of its own visitor."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from ingest_service.api.door import Call, check_origin
from ingest_service.auth import identify_caller
from ingest_service.schemas import VisitorId
from shared.apps import AppRegistry
from shared.errors import FieldError, InvalidPayload
from shared.http import json_response

_VISITOR_ID: TypeAdapter[str] = TypeAdapter(VisitorId)


class VisitorViews(Protocol):
    """What came under one visitor id: `{"oneSignal", "affinityToOneSignalPlayerID"}`."""

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        """Raises StoreUnavailable."""
        ...


class Profile:
    method = "GET"
    headers = "content-type, x-write-key"

    def __init__(self, apps: AppRegistry, views: VisitorViews) -> None:
        self._apps = apps
        self._views = views

    async def preflight(self, call: Call) -> None:
        key = call.query("key")
        if key is not None:
            check_origin(call, identify_caller(self._apps, key)[0])

    async def answer(self, call: Call) -> Response:
        app, _ = identify_caller(self._apps, call.header(b"x-write-key") or call.query("key"))
        check_origin(call, app)
        visitor = _visitor(call.query("visitorId"))
        db = await self._views.view(app.id, visitor)
        return json_response({"visitorId": visitor, "db": db}, 200, {"Cache-Control": "no-store"})


def _visitor(value: str | None) -> str:
    try:
        return _VISITOR_ID.validate_python(value)
    except ValidationError as exc:
        message = "must be 1 to 64 characters of A-Z a-z 0-9 _ - . :"
        error = FieldError("visitorId", "visitor_id", message)
        raise InvalidPayload(f"visitorId: {message}", errors=[error]) from exc
