"""OneSignal's SDK on the shop's pages: the stand-in, from the shop's own origin, or the real one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.sandbox.sdk import page_script, worker_script
from deploy.local.shop.settings import ShopSettings

REAL_WORKER = "https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.sw.js"
STAND_IN_WORKER = "/sdk/OneSignalSDK.sw.js"


def _settings(request: Request) -> ShopSettings:
    settings: ShopSettings = request.app.state.settings
    return settings


async def page_v16(request: Request) -> Response:
    return page_script("v16", str(_settings(request).sandbox_url))


async def page_v15(request: Request) -> Response:
    return page_script("v15", str(_settings(request).sandbox_url))


async def stand_in_worker(_: Request) -> Response:
    return worker_script()


async def worker(request: Request) -> Response:
    """Return the worker file that every site using OneSignal has at its root."""
    source = REAL_WORKER if _settings(request).sandbox_url is None else STAND_IN_WORKER
    return Response(f'importScripts("{source}");\n', media_type="text/javascript")


ROUTES = [
    Route("/OneSignalSDKWorker.js", worker),
    Route(STAND_IN_WORKER, stand_in_worker),
    Route("/sdk/v16/OneSignalSDK.page.js", page_v16),
    Route("/sdk/v15/OneSignalSDK.js", page_v15),
]
