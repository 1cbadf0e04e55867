"""A visitor: a browser profile, a page, and what went wrong there without being caught."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, Page

# Rejections that nobody handles don't reach Playwright's "pageerror".
REJECTIONS = "addEventListener('unhandledrejection', (e) => console.error('UNHANDLED ' + e.reason))"

NOTHING_WAITS = "!Object.keys(localStorage).some((key) => key.includes('.q.'))"


@dataclass
class Visitor:
    context: BrowserContext
    page: Page
    uncaught: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, browser: Browser, origin: str | None = None) -> AsyncIterator[Self]:
        """Open a visitor with notifications permitted on `origin`."""
        context = await browser.new_context(
            viewport={"width": 1360, "height": 900},
            locale="de-DE",
            timezone_id="Europe/Prague",
            reduced_motion="reduce",  # pictures are taken of pages that have come to rest
        )
        try:
            yield await cls.within(context, origin)
        finally:
            await context.close()

    @classmethod
    async def within(cls, context: BrowserContext, origin: str | None = None) -> Self:
        if origin is not None:
            await context.grant_permissions(["notifications"], origin=origin)
        await context.add_init_script(REJECTIONS)
        visitor = cls(context, context.pages[0] if context.pages else await context.new_page())
        visitor.listen(visitor.page)
        return visitor

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.uncaught.append(str(error)))
        page.on("console", lambda message: self._heard(message.text))

    def _heard(self, text: str) -> None:
        self.console.append(text)
        if text.startswith("UNHANDLED"):
            self.uncaught.append(text)

    async def go(self, url: str) -> None:
        await self.page.goto(url)

    async def new_page(self) -> Page:
        page = await self.context.new_page()
        self.listen(page)
        return page

    async def carillon(self, *call: Any) -> None:
        await self.page.evaluate("(call) => { window.carillon(...call); }", list(call))

    async def loaded(self) -> None:
        """Wait until the snippet has replaced the stub."""
        await self.page.wait_for_function("window.carillon && window.carillon.version")

    async def answered(self) -> None:
        """Wait until no event waits: the next page sends what this one has no answer for."""
        await self.page.wait_for_function(NOTHING_WAITS)

    async def id(self) -> str:
        await self.loaded()
        return str(await self.page.evaluate("window.carillon('visitor')"))

    async def stored(self) -> dict[str, Any]:
        """Return what this origin stores: localStorage and cookies."""
        found: dict[str, Any] = await self.page.evaluate("({...localStorage})")
        cookies = await self.context.cookies()
        return found | {f"cookie:{c.get('name')}": c.get("value") for c in cookies}
