"""Source of OneSignal's SDK for a shop's pages and worker file: OneSignal, or the local sandbox."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import httpx

from sender_service.cli.ops import ApiError, OpsClient
from shared.environment import load_settings

SANDBOX_PAGE = "/sdk/v16/OneSignalSDK.page.js"
PAGE_FILE, WORKER_FILE = "OneSignalSDK.page.js", "OneSignalSDK.sw.js"
REAL_WORKER = f"https://cdn.onesignal.com/sdks/web/v16/{WORKER_FILE}"
SDK_TIMEOUT_SECONDS = 2.0
LOCAL_NAMES = ("localhost", "localhost.")


class SdkSource(NamedTuple):
    """URLs of the SDK. `page_url` is None for OneSignal's own."""

    page_url: str | None
    worker_url: str


OWN = SdkSource(None, REAL_WORKER)


async def find_sdk(ops: OpsClient) -> SdkSource:
    """Return the source of `--sdk-url`, else the local sandbox's, else OneSignal's. Raises ApiError."""
    # Where the ops API and the configured OneSignal API are on this machine, the latter is the sandbox
    # if it serves the SDK: OneSignal's own API serves none.
    given = ops.options.sdk_url
    if given is not None:
        if not given.partition("?")[0].endswith(f"/{PAGE_FILE}"):
            raise ApiError(400, f"--sdk-url: must be the address of a {PAGE_FILE}")
        return _source(given)
    base = load_settings().onesignal.base_url.rstrip("/")
    if not (is_local(str(ops.http.base_url)) and is_local(base)):
        return OWN
    async with httpx.AsyncClient(trust_env=False, timeout=SDK_TIMEOUT_SECONDS) as http:
        try:
            answer = await http.get(base + SANDBOX_PAGE)
        except httpx.HTTPError:
            return OWN
    is_script = "javascript" in answer.headers.get("content-type", "")
    return _source(base + SANDBOX_PAGE) if answer.is_success and is_script else OWN


def is_local(url: str) -> bool:
    """Check whether a URL's host is this machine."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOCAL_NAMES or host.endswith(".localhost")


def _source(page_url: str) -> SdkSource:
    return SdkSource(page_url, page_url.replace(f"/{PAGE_FILE}", f"/{WORKER_FILE}"))
