"""GET /v1/snippet.js, and the two scripts that Persoo's loader requests."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import partial
from typing import Literal

import brotli
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest_service.auth import MAX_APP_KEY_LENGTH
from ingest_service.snippet.assembly import Flavour, assemble, assemble_refusal, etag_of
from shared.apps import AppRegistry
from shared.errors import CarillonError, Unauthorized, Unavailable
from shared.models.app import App

MEDIA_TYPE = "text/javascript; charset=utf-8"
# A change reaches every page within five minutes; a page whose copy is older than that uses it
# once more while the browser fetches the new one, and for a day where we can't be reached.
CACHE = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=86400"
SNIPPET_HEADERS = {
    "Access-Control-Allow-Origin": "*",  # for <script crossorigin>
    "Cross-Origin-Resource-Policy": "cross-origin",  # for pages that isolate themselves
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
Coding = Literal["br", "gzip", "identity"]
CODINGS: tuple[Coding, ...] = ("br", "gzip")  # the smaller one first
_NO_WEIGHT = re.compile(r"q=0(\.0*)?")
KEPT_SCRIPTS = 256  # assembled once: apps times keys times flavours times codings


def snippet_routes(apps: AppRegistry) -> list[Route]:
    scripts = Scripts(apps)
    return [
        Route("/v1/snippet.js", partial(scripts.answer, "carillon")),
        Route("/v1/check.js", scripts.check),
        Route("/{key}/{environment}/persoo.js", partial(scripts.answer, "persoo")),
        Route("/{key}/{environment}/actions.js", partial(scripts.answer, "actions")),
    ]


@dataclass(frozen=True)
class Encoded:
    """A compressed script, with its headers."""

    body: bytes
    etag: str
    encoding: dict[str, str]


class Scripts:
    """The scripts of all apps, each assembled and compressed once for each version of the app."""

    def __init__(self, apps: AppRegistry) -> None:
        self._apps = apps
        self._kept: dict[tuple[str, int, Flavour, str, Coding], Encoded] = {}

    async def answer(self, flavour: Flavour, request: Request) -> Response:
        key = request.path_params.get("key") or request.query_params.get("key")
        try:
            app = self._app_of(key)
        except CarillonError as exc:
            return _refusal(exc)
        coding = choose_coding(request.headers.get("accept-encoding", ""))
        found = self._script(app, flavour, str(key), coding)
        headers = {**SNIPPET_HEADERS, "Cache-Control": CACHE, "ETag": found.etag}
        if _knows(request, found.etag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers={**headers, **found.encoding}, media_type=MEDIA_TYPE)

    async def check(self, request: Request) -> Response:
        """Respond with the script of `carillon('check')`: never cached, also for an unknown key."""
        headers = {**SNIPPET_HEADERS, "Cache-Control": "no-store"}
        key = request.query_params.get("key")
        try:
            app = self._app_of(key)
        except CarillonError as exc:
            text = assemble_refusal(exc.code, exc.message)
            return Response(text, headers=headers, media_type=MEDIA_TYPE)
        coding = choose_coding(request.headers.get("accept-encoding", ""))
        found = self._script(app, "check", str(key), coding)
        return Response(found.body, headers={**headers, **found.encoding}, media_type=MEDIA_TYPE)

    def _app_of(self, key: str | None) -> App:
        """Return the app that owns a write key. Raises Unauthorized, StoreUnavailable."""
        # No other kind of key, since pages publish it.
        if not key or len(key) > MAX_APP_KEY_LENGTH:
            raise Unauthorized("a write key is needed: ?key=", code="missing_key")
        return self._apps.by_key("write", key=key)[0]

    def _script(self, app: App, flavour: Flavour, key: str, coding: Coding) -> Encoded:
        name = (app.id, app.version, flavour, key, coding)
        if name not in self._kept:
            if len(self._kept) >= KEPT_SCRIPTS:  # mostly of old versions
                self._kept.clear()
            self._kept[name] = _encode(assemble(flavour, app, key), coding)
        return self._kept[name]


def _encode(text: str, coding: Coding) -> Encoded:
    body = compress(text.encode(), coding)
    return Encoded(
        body, etag_of(body), {} if coding == "identity" else {"Content-Encoding": coding}
    )


def compress(body: bytes, coding: Coding) -> bytes:
    if coding == "br":
        return bytes(brotli.compress(body, mode=brotli.MODE_TEXT))
    return gzip.compress(body, mtime=0) if coding == "gzip" else body


def choose_coding(accepted: str) -> Coding:
    """Return the smallest accepted coding: by its name, else by `*`, and not with a weight of 0."""
    weights = {}
    for one in accepted.lower().split(","):
        coding, _, parameters = one.partition(";")
        weights[coding.strip()] = parameters.replace(" ", "")
    star = weights.get("*", "q=0")
    for coding_ in CODINGS:
        if not _NO_WEIGHT.fullmatch(weights.get(coding_, star)):
            return coding_
    return "identity"


def _knows(request: Request, etag: str) -> bool:
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or etag in (one.removeprefix("W/") for one in known)


def _refusal(error: CarillonError) -> Response:
    """Return an error as a script: a comment with the reason, for developers."""
    headers = {**SNIPPET_HEADERS, "Cache-Control": "no-store"}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_seconds)
    text = f"/* carillon: {error.code}: {error.message} */\n"
    return Response(text, error.status, headers, media_type=MEDIA_TYPE)
