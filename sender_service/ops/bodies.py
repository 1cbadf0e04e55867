"""Request bodies: bounded while they are read, and read strictly, whatever type they are sent as."""

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
MAX_BODY_BYTES = 1024 * 1024
MAX_KEY = 64  # letters of a key in an error: whoever wrote it knows the rest
STREAMED = frozenset({"/v1/sends", "/v1/sends/preview"})  # they bound themselves what they read

M = TypeVar("M", bound=BaseModel)
# Recipients in a file of their own are counted from its first line: the trigger before it is line 0.
FirstLine = Annotated[
    int,
    Query(
        alias="firstLine", ge=0, le=1, description="the number that the first line has in errors"
    ),
]


class BoundedBodies:
    """Middleware: a body of more than 1 MiB is refused, by what it says and by what comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in STREAMED:
            return await self._app(scope, receive, send)
        try:
            check_length(Headers(scope=scope), MAX_BODY_BYTES)
        except TooLarge as exc:
            return await error_response(exc)(scope, receive, send)
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise _too_large()
            return message

        return await self._app(scope, bounded, send)


def check_length(headers: Headers, most: int, code: str = "too_large") -> None:
    """Raise TooLarge where the request says itself that it is."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 19 or int(length) > most):
        raise _too_large(code)


def _too_large(code: str = "too_large") -> TooLarge:
    return TooLarge("a body has at most 1 MiB", code=code)


def json_body(model: type[M], example: object = None, *, shown: Collection[str] = ()) -> Any:
    """Return the dependency that reads a request's body as `model`, for `Annotated[Model, …]`.

    It comes after the check of who may, so nobody else's body is read; curl's default type is as good.
    `shown`: keys that an answer has beside the model's; what was shown can be put again.
    """

    draft = draft_body(model, example, shown=shown).dependency

    async def read(request: Request) -> M:
        written: Draft[M] = await draft(request)
        return written.checked(())

    read.body_model = model  # type: ignore[attr-defined]
    read.body_example = example  # type: ignore[attr-defined]
    return Depends(read)


@dataclass(frozen=True)
class Draft(Generic[M]):
    """A body as it was written, and what it is as a model, or why it is none."""

    value: Any
    model: M | InvalidPayload

    def checked(self, more: Sequence[FieldError]) -> M:
        """Return the model. Raises InvalidPayload with all findings: the model's own, and `more`."""
        if not isinstance(self.model, InvalidPayload):
            if not more:
                return self.model
            raise InvalidPayload(f"{more[0].field}: {more[0].message}", errors=more)
        found = [*self.model.errors, *more][:MAX_FINDINGS]
        raise InvalidPayload(self.model.message, code=self.model.code, errors=found)


def draft_body(model: type[M], example: object = None, *, shown: Collection[str] = ()) -> Any:
    """Return the dependency that reads a body whose route looks further, whatever is wrong with it."""

    async def read(request: Request) -> Draft[M]:
        value = load_exactly(await request.body())
        if isinstance(value, dict):
            value = {key: one for key, one in value.items() if key not in shown}
        try:
            return Draft(value, validate_strictly(model, value, prefix="body."))
        except InvalidPayload as exc:
            return Draft(value, exc)

    read.body_model = model  # type: ignore[attr-defined]
    read.body_example = example  # type: ignore[attr-defined]
    return Depends(read)


def load_exactly(body: bytes) -> Any:
    """Read strict JSON, in which a whole number of any size is itself. Raises InvalidPayload.

    What is too large is then refused, not stored as another number.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_repeated_keys,
        )
    except (ValueError, RecursionError):
        load_json(body)  # says where
        raise InvalidPayload("the body is nested too deep", code="invalid_json") from None


def check_keys_once(body: bytes) -> None:
    """Raise InvalidPayload where an object has a key twice: parsers keep the last one without a word.

    What is no JSON is left to whoever reads it.
    """
    with suppress(ValueError, RecursionError):
        json.loads(body.decode("utf-8-sig"), object_pairs_hook=_refuse_repeated_keys)


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0][:MAX_KEY]
        error = FieldError(twice, "repeated_key", "stands twice in one object")
        raise InvalidPayload(f"{twice}: {error.message}", code="repeated_key", errors=[error])
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def body_of(route: APIRoute) -> tuple[type[BaseModel], object] | None:
    """Return the model and the example of a route's body; None where it reads none this way."""
    for dependency in route.dependant.dependencies:
        model = getattr(dependency.call, "body_model", None)
        if model is not None:
            return model, getattr(dependency.call, "body_example", None)
    return None


def is_lines(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON


async def read_trigger(request: Request) -> bytes:
    """At most 1 MiB, refused before it is read whole."""
    check_length(request.headers, MAX_TRIGGER_BYTES, "trigger_too_large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TRIGGER_BYTES:
            raise TooLarge("a trigger has at most 1 MiB", code="trigger_too_large")
    check_keys_once(bytes(body))
    return bytes(body)
