"""Debian's Chromium, pages of a test's own, a stand-in for ingest, and the whole stack."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserType, Playwright, async_playwright

from tests.browser.site import Site, open_site
from tests.browser.visitor import Visitor
from tests.e2e.carillon import Carillon

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
    """With a fresh user-data-dir; each visitor gets a profile of its own inside."""
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


@pytest.fixture(scope="session")
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Carillon]:
    """The stack as `make run` starts it."""
    carillon = Carillon(tmp_path_factory.mktemp("carillon"))
    try:
        yield await carillon.start()
    finally:
        await carillon.stop()
