"""Debian's Chromium, pages of a test's own, a stand-in for ingest, and the whole stack."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserType, Playwright, async_playwright

from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.browser import sdks
from tests.browser.checking import READY, WORKER, Check, Ingest, kept_by_init
from tests.browser.site import STUB, Site, open_site, serve
from tests.browser.visitor import Visitor
from tests.support.carillon import Carillon
from tests.support.ingest_api import Api

CHROMIUM = os.environ.get("CARILLON_TEST_CHROMIUM") or shutil.which("chromium") or ""
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "browser"


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    if not CHROMIUM:
        pytest.fail("no chromium: `make test-browser` installs it, or set CARILLON_TEST_CHROMIUM")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="session")
async def chromium(chromium_type: BrowserType) -> AsyncIterator[Browser]:
    """Start a browser with a fresh user-data-dir; each visitor gets a profile of its own inside."""
    browser = await chromium_type.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    await browser.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as site:
        yield site


@pytest.fixture
async def visitor(chromium: Browser) -> AsyncIterator[Visitor]:
    """One browser of one person; what its pages did not catch fails the test."""
    async with Visitor.open(chromium) as visitor:
        yield visitor
    assert visitor.uncaught == []


@pytest.fixture
async def ingest(site: Site) -> AsyncIterator[Ingest]:
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        listener = socket.create_server(("127.0.0.1", 0))
        ingest = Ingest(Api(database), f"http://127.0.0.1:{listener.getsockname()[1]}")
        ingest.shop(origins=[site.origin])
        async with serve(ingest.api.asgi, listener):
            yield ingest


@pytest.fixture
def check(site: Site, visitor: Visitor, ingest: Ingest) -> Check:
    """Return the report of a page, by what was looked at."""

    async def look(
        sdk: str = sdks.V16 + READY, head: str = "", kept: Any = None, **headers: str
    ) -> dict[str, Any]:
        script = f'<script async src="{ingest.url}/v1/snippet.js?key=wk_shop"></script>'
        await visitor.go(site.bare("/", f"<script>{STUB}{sdk}</script>{head}{script}", **headers))
        await visitor.loaded()
        if sdk:
            await visitor.page.wait_for_function("Object.keys(sdk.listeners).length === 2")
            await visitor.page.evaluate(sdks.KEPT, kept or kept_by_init(ingest))
        lines = await visitor.page.evaluate("carillon('check')")
        assert visitor.console[-1].startswith("Carillon 1.")
        assert all(line["text"] in visitor.console[-1] for line in lines)
        return {line["check"]: (line["ok"], line["text"]) for line in lines}

    site.pages["/OneSignalSDKWorker.js"] = (WORKER, {})
    return look


@pytest.fixture(scope="session")
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Carillon]:
    """Yield the stack as `make run` starts it."""
    carillon = Carillon(tmp_path_factory.mktemp("carillon"))
    try:
        yield await carillon.start()
    finally:
        await carillon.stop()
