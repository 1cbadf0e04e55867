"""Access to the sandbox and from it: this machine only, unless settings allow more.

Any page that a developer has open reaches a server on loopback; so do the names that a stranger's DNS
points at it. Server programs send no `Origin`, and stay free to call.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.local.sandbox.errors import refuse


@dataclass(frozen=True, slots=True)
class Access:
    """Allowed `origins` of pages and `hosts` of the sandbox, beside loopback's; where it may post."""

    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    posts_anywhere: bool = False

    def allows_origin(self, origin: str) -> bool:
        return origin in self.origins or is_loopback(origin)

    def allows_host(self, host: str) -> bool:
        return host.rpartition(":")[0] in self.hosts or host in self.hosts or _is_local(host)

    def check_target(self, url: str | None) -> None:
        """Check an address that the sandbox shall post to. Raises Refusal unless it is on this machine."""
        if url is None or self.posts_anywhere or is_loopback(url):
            return
        raise refuse(
            400,
            "the sandbox posts to http(s) addresses on this machine only:"
            " --post-anywhere (CARILLON_LOCAL__SANDBOX_POSTS_ANYWHERE=true) opens it",
        )


def is_loopback(url: str) -> bool:
    """Check whether an http(s) URL or origin names this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and _is_local_name(parts.hostname or "")
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    try:
        return _is_local_name(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def _is_local_name(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Guarded:
    """Refuses pages of other sites, and calls by another name, before anything is read."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            reason = self._reason(headers.get("host", ""), headers.get("origin"))
            if reason is not None:
                await JSONResponse({"errors": [reason]}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _reason(self, host: str, origin: str | None) -> str | None:
        if not self._access.allows_host(host):
            return "the sandbox is called by this machine's names only: --name allows another"
        if origin is not None and not self._access.allows_origin(origin):
            return (
                "the sandbox is for pages on this machine: --origin"
                " (CARILLON_LOCAL__SANDBOX_ORIGINS) allows another site"
            )
        return None
