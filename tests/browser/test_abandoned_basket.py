"""The demo's scenario in browsers: who leaves a basket is reminded of it, who bought is not."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser

from tests.browser.shopper import Shopper, happened, person
from tests.support.carillon import Carillon
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

REMINDED_SECONDS = 150.0  # a minute's silence, the waker's 5 s, and a busy machine
ONCE = {"deliveries": 1, "displayed": 1, "clicked": 1, "closed": 0}
NEVER = dict.fromkeys(ONCE, 0)


async def test_left_basket_is_reminded_of_and_bought_one_is_not(
    carillon: Carillon, chromium: Browser
) -> None:
    """Bert fills a basket on his laptop and buys on his phone. Then Anna leaves hers."""
    async with AsyncExitStack() as stack:
        laptop, phone, anna = [
            await stack.enter_async_context(Shopper.opened(carillon, chromium)) for _ in range(3)
        ]
        berts = await _log_in_and_subscribe(carillon, laptop, phone)
        await anna.open()
        annas = await anna.subscribe()

        await laptop.fill("202")
        await phone.fill("202")
        await phone.buy("bert@example.test", "Bert")
        await anna.fill("203")
        await anna.picture("10-basket-left")

        # Bert's minute was over before hers.
        await anna.page.wait_for_selector(".notification", timeout=1_000 * REMINDED_SECONDS)
        [notification] = await anna.notifications()
        assert notification["title"] == "Ihr Warenkorb wartet"
        assert notification["body"].startswith("Singing bowl liegt noch im Warenkorb.")
        await anna.picture("11-reminded")
        async with anna.page.expect_navigation(url="**/basket"):
            await anna.page.click(".notification-text")
        await anna.buy("anna@example.test", "Anna")
        await eventually(lambda: _was(carillon, annas, ONCE), 20, every=0.1)
        for player in berts:
            assert await _was(carillon, player, NEVER)
        assert await phone.page.locator(".notification").count() == 0
        await phone.picture("12-bought-and-left-alone")


async def _log_in_and_subscribe(carillon: Carillon, *browsers: Shopper) -> set[str]:
    """Return the players of the one person whose browsers these are."""
    login = f"bert-{uuid.uuid4().hex[:8]}"
    players = set()
    for browser in browsers:
        await browser.log_in(login)
        players.add(await browser.subscribe())

    async def is_one() -> bool:
        found = await person(carillon, login=login)
        return found is not None and {each["id"] for each in found["players"]} == players

    await eventually(is_one, 20, every=0.1)
    return players


async def _was(carillon: Carillon, player: str, counts: dict[str, int]) -> bool:
    return await happened(carillon, player) == counts
