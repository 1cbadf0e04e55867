"""Request bodies: bounded while they are read, parsed strictly, whatever their content type."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sender_service.models.trigger import MAX_TRIGGER_BYTES
from shared.errors import FieldError, InvalidPayload, TooLarge
from shared.http.responses import error_response
from shared.models.strict import MAX_FINDINGS, validate_strictly
from shared.models.wire import load_json

NDJSON = "application/x-ndjson"
MAX_OPS_BODY_BYTES = 1024 * 1024
MAX_ERROR_KEY_LENGTH = 64  # characters of a key in an error: its author knows the rest
STREAMED = frozenset({"/v1/sends", "/v1/sends/preview"})  # they have limits of their own

M = TypeVar("M", bound=BaseModel)
# Recipients in a file of their own are counted from its first line: the trigger before it is line 0.
FirstLine = Annotated[
    int,
    Query(
        alias="firstLine", ge=0, le=1, description="the number that the first line has in errors"
    ),
]


class BoundedBodies:
    """Middleware: refuses a body above 1 MiB, by its declared and by its real length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in STREAMED:
            return await self._app(scope, receive, send)
        try:
            check_length(Headers(scope=scope), MAX_OPS_BODY_BYTES)
        except TooLarge as exc:
            return await error_response(exc)(scope, receive, send)
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_OPS_BODY_BYTES:
                raise _too_large()
            return message

        return await self._app(scope, bounded, send)


def check_length(headers: Headers, most: int, code: str = "too_large") -> None:
    """Check the declared length of a body. Raises TooLarge."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 19 or int(length) > most):
        raise _too_large(code)


def _too_large(code: str = "too_large") -> TooLarge:
    return TooLarge("a body has at most 1 MiB", code=code)


def json_body(model: type[M], example: object = None, *, read_only: Collection[str] = ()) -> Any:
    """Return the dependency that reads a request's body as `model`, for `Annotated[Model, …]`.

    `read_only`: keys that answers have beside the model's. A body may have them: they are ignored.
    """
    # It runs after the check of access, so a refused caller's body isn't read.
    # Any content type is accepted, as curl's default one.

    draft = draft_body(model, example, read_only=read_only).dependency

    async def read(request: Request) -> M:
        written: Draft[M] = await draft(request)
        return written.checked(())

    read.body_model = model  # type: ignore[attr-defined]
    read.body_example = example  # type: ignore[attr-defined]
    return Depends(read)


@dataclass(frozen=True)
class Draft(Generic[M]):
    """A body as received, and its model, or the error of its validation."""

    value: Any
    model: M | InvalidPayload

    def checked(self, more: Sequence[FieldError]) -> M:
        """Return the model. Raises InvalidPayload with all errors: the model's own, and `more`."""
        if not isinstance(self.model, InvalidPayload):
            if not more:
                return self.model
            raise InvalidPayload(f"{more[0].field}: {more[0].message}", errors=more)
        found = [*self.model.errors, *more][:MAX_FINDINGS]
        raise InvalidPayload(self.model.message, code=self.model.code, errors=found)


def draft_body(model: type[M], example: object = None, *, read_only: Collection[str] = ()) -> Any:
    """Return the dependency that reads a body, valid or not, which its route checks further."""

    async def read(request: Request) -> Draft[M]:
        value = load_exactly(await request.body())
        if isinstance(value, dict):
            value = {key: one for key, one in value.items() if key not in read_only}
        try:
            return Draft(value, validate_strictly(model, value, prefix="body."))
        except InvalidPayload as exc:
            return Draft(value, exc)

    read.body_model = model  # type: ignore[attr-defined]
    read.body_example = example  # type: ignore[attr-defined]
    return Depends(read)


def load_exactly(body: bytes) -> Any:
    """Parse strict JSON; a whole number of any size keeps its value. Raises InvalidPayload."""
    # Validation then refuses a number that is too large; a float would be another number.
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_repeated_keys,
        )
    except (ValueError, RecursionError):
        load_json(body)  # its error has the place
        raise InvalidPayload("the body is nested too deep", code="invalid_json") from None


def check_keys_once(body: bytes) -> None:
    """Check that no object has a key twice. Raises InvalidPayload.

    A body that isn't JSON passes: its parser refuses it.
    """
    # Parsers keep the last one without an error.
    with suppress(ValueError, RecursionError):
        json.loads(body.decode("utf-8-sig"), object_pairs_hook=_refuse_repeated_keys)


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0][:MAX_ERROR_KEY_LENGTH]
        error = FieldError(twice, "repeated_key", "stands twice in one object")
        raise InvalidPayload(f"{twice}: {error.message}", code="repeated_key", errors=[error])
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def body_of(route: APIRoute) -> tuple[type[BaseModel], object] | None:
    """Return the model and the example of a route's body; None where `json_body` doesn't read it."""
    for dependency in route.dependant.dependencies:
        model = getattr(dependency.call, "body_model", None)
        if model is not None:
            return model, getattr(dependency.call, "body_example", None)
    return None


def is_lines(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON


async def read_trigger(request: Request) -> bytes:
    """Read a trigger's body, at most 1 MiB. Raises TooLarge, InvalidPayload."""
    check_length(request.headers, MAX_TRIGGER_BYTES, "trigger_too_large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TRIGGER_BYTES:
            raise TooLarge("a trigger has at most 1 MiB", code="trigger_too_large")
    check_keys_once(bytes(body))
    return bytes(body)
