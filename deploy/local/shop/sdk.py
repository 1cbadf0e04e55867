"""OneSignal's SDK on the shop's pages: a stand-in that talks to the sandbox, or the real one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.shop.pages import HERE
from deploy.local.shop.settings import ShopSettings

SOURCES = HERE / "sdk"
REAL_WORKER = "https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.sw.js"
STAND_IN_WORKER = "/sdk/OneSignalSDK.sw.js"


def _script(text: str) -> Response:
    return Response(text, media_type="text/javascript")


def _read(name: str) -> str:
    return (SOURCES / f"{name}.js").read_text(encoding="utf-8")


async def page_v16(_: Request) -> Response:
    return _script(f"(function () {{\n{_read('core')}\n{_read('v16')}}})();\n")


async def page_v15(_: Request) -> Response:
    return _script(f"(function () {{\n{_read('core')}\n{_read('v15')}}})();\n")


async def stand_in_worker(_: Request) -> Response:
    return _script(_read("worker"))


async def worker(request: Request) -> Response:
    """The file that every site using OneSignal has at its root."""
    settings: ShopSettings = request.app.state.settings
    source = REAL_WORKER if settings.sandbox_url is None else STAND_IN_WORKER
    return _script(f'importScripts("{source}");\n')


ROUTES = [
    Route("/OneSignalSDKWorker.js", worker),
    Route(STAND_IN_WORKER, stand_in_worker),
    Route("/sdk/v16/OneSignalSDK.page.js", page_v16),
    Route("/sdk/v15/OneSignalSDK.js", page_v15),
]
