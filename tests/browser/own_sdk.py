"""A page with its own OneSignal SDK, and what the snippet reports of it."""

from __future__ import annotations

from typing import Any

from tests.browser import sdks
from tests.browser.sdks import PLAYER
from tests.browser.site import Site
from tests.browser.visitor import Visitor

SUBSCRIBED = {"playerID": PLAYER, "status": "subscribed", "permission": "granted"}


def reports_of(site: Site) -> list[Any]:
    return [event["data"] for event in site.of("oneSignal")]


async def wait_until_attached(visitor: Visitor) -> None:
    await visitor.page.wait_for_function("window.sdk && Object.keys(sdk.listeners).length === 2")


async def wait_until_reported(site: Site, visitor: Visitor, name: str = "barrier") -> None:
    """Wait until the bridge has sent its reports so far."""
    await visitor.page.evaluate("new Promise((done) => setTimeout(done))")
    await visitor.carillon("send", name)
    await site.until(name)


async def open_page(site: Site, visitor: Visitor, script: str = sdks.V16, head: str = "") -> None:
    """Open a page that includes its own SDK."""
    site.configure(webhookKey="wh_site")
    await visitor.go(site.page("/", f"{head}<script>{script}</script>"))
    await wait_until_attached(visitor)
