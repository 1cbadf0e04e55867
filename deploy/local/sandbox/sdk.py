"""Stand-in for OneSignal's SDK, served by the sandbox: scripts for pages (v15, v16) and worker."""

from pathlib import Path
from typing import Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

SOURCES = Path(__file__).with_name("sdk")
OWN_SERVER = "new URL(document.currentScript.src).origin"


def page_script(face: Literal["v15", "v16"], sandbox_url: str | None = None) -> Response:
    """Return the script; `sandbox_url`: what it calls, where that isn't who serves it."""
    sandbox = OWN_SERVER if sandbox_url is None else orjson.dumps(sandbox_url).decode()
    return _script(f"(function (SANDBOX) {{\n{_read('core')}\n{_read(face)}}})({sandbox});\n")


def worker_script() -> Response:
    return _script(_read("worker"))


async def page_v16(_: Request) -> Response:
    return page_script("v16")


async def page_v15(_: Request) -> Response:
    return page_script("v15")


async def worker(_: Request) -> Response:
    return worker_script()


def _script(text: str) -> Response:
    headers = {"Cache-Control": "no-cache"}  # a newer copy is tried out at once
    return Response(text, headers=headers, media_type="text/javascript")


def _read(name: str) -> str:
    return (SOURCES / f"{name}.js").read_text(encoding="utf-8")


FILES = [
    ("GET", "/sdk/v16/OneSignalSDK.page.js", page_v16),
    ("GET", "/sdk/v15/OneSignalSDK.js", page_v15),
    ("GET", "/sdk/OneSignalSDK.sw.js", worker),
    ("GET", "/sdk/v16/OneSignalSDK.sw.js", worker),  # beside the page's, as at OneSignal
]
