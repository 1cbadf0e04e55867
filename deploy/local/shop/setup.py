"""Setup of the pages: how they include Carillon and OneSignal, chosen in the panel, kept in cookies."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

LOADERS = {"carillon": "Carillon's snippet", "persoo": "Persoo's loader"}
SDKS = {"v16": "v16, loaded by Carillon", "v15": "v15, the page's own"}
SEE_OTHER = 303


@dataclass(frozen=True)
class Setup:
    loader: str = "carillon"
    sdk: str = "v16"


def setup_of(request: Request) -> Setup:
    loader = request.cookies.get("shop_loader", Setup.loader)
    sdk = request.cookies.get("shop_sdk", Setup.sdk)
    return Setup(loader if loader in LOADERS else Setup.loader, sdk if sdk in SDKS else Setup.sdk)


async def choose(request: Request) -> Response:
    """Store the choice and redirect to the page it came from, a path of the shop's own."""
    back = request.query_params.get("back", "/")
    own = back.startswith("/") and not back.startswith(("//", "/\\"))
    answer = RedirectResponse(back if own else "/", SEE_OTHER)
    for name, known in (("loader", LOADERS), ("sdk", SDKS)):
        value = request.query_params.get(name)
        if value in known:
            answer.set_cookie(f"shop_{name}", str(value), samesite="lax", httponly=True)
    return answer


ROUTES = [Route("/setup", choose)]
