"""GET /v1/snippet.js, and the two scripts that Persoo's loader asks for."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest_service.auth import MAX_KEY
from ingest_service.snippet.assembly import Flavour, assemble, etag_of
from shared.apps import AppRegistry
from shared.errors import CarillonError, Unauthorized, Unavailable
from shared.models.app import App

MEDIA_TYPE = "text/javascript; charset=utf-8"
# A change reaches every page within five minutes; a page whose copy is older than that uses it
# once more while the browser fetches the new one, and for a day where we can't be reached.
CACHE = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=86400"
OPEN = {
    "Access-Control-Allow-Origin": "*",  # for <script crossorigin>
    "Cross-Origin-Resource-Policy": "cross-origin",  # for pages that isolate themselves
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
KEPT_SCRIPTS = 256  # compressed once: apps times keys times flavours


def snippet_routes(apps: AppRegistry) -> list[Route]:
    """For write keys only: another kind would be published in every page."""
    return [
        Route("/v1/snippet.js", _serve(apps, "carillon", lambda r: r.query_params.get("key"))),
        Route("/{key}/{environment}/persoo.js", _serve(apps, "persoo", _key_in_path)),
        Route("/{key}/{environment}/actions.js", _serve(apps, "actions", _key_in_path)),
    ]


@dataclass(frozen=True)
class Script:
    """As it goes over the wire, in both encodings."""

    plain: bytes
    packed: bytes

    def response(self, headers: Mapping[str, str]) -> Response:
        accepted = headers.get("accept-encoding", "")
        content, encoding = (self.packed, {"Content-Encoding": "gzip"}), {}
        body, encoding = content if "gzip" in accepted else (self.plain, encoding)
        etag = etag_of(body)
        said = {**OPEN, "Cache-Control": CACHE, "ETag": etag}
        if etag in headers.get("if-none-match", "").replace("W/", "").split(", "):
            return Response(status_code=304, headers=said)
        return Response(body, headers={**said, **encoding}, media_type=MEDIA_TYPE)


def _serve(
    apps: AppRegistry, flavour: Flavour, key_of: Callable[[Request], str | None]
) -> Callable[[Request], Awaitable[Response]]:
    @lru_cache(KEPT_SCRIPTS)
    def script(app_and_version: tuple[str, int], key: str) -> Script:
        app = apps.get(app_and_version[0])
        assert app is not None
        return _pack(assemble(flavour, app, key))

    async def endpoint(request: Request) -> Response:
        try:
            app = _app_of(apps, key_of(request))
        except CarillonError as exc:
            return _refusal(exc)
        key = key_of(request) or ""
        return script((app.id, app.version), key).response(request.headers)

    return endpoint


def _pack(text: str) -> Script:
    plain = text.encode()
    return Script(plain, gzip.compress(plain, mtime=0))


def _app_of(apps: AppRegistry, key: str | None) -> App:
    if not key or len(key) > MAX_KEY:
        raise Unauthorized("a write key is needed", code="missing_key")
    return apps.by_key("write", key)


def _key_in_path(request: Request) -> str:
    return str(request.path_params["key"])


def _refusal(error: CarillonError) -> Response:
    """Never run, for its status; it is for whoever looks at the answer."""
    headers = {**OPEN, "Cache-Control": "no-store"}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_seconds)
    body = f"/* carillon: {error.code}: {error.message} */\n"
    return Response(body, error.status, headers, media_type=MEDIA_TYPE)
