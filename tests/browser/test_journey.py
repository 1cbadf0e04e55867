"""The demo shop on the whole stack: from a visit to a push to a click to an honest report."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser.shopper import Shopper, happened, person, reported
from tests.browser.visitor import Visitor
from tests.support.carillon import Carillon
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture
async def shopper(carillon: Carillon, chromium: Browser) -> AsyncIterator[Shopper]:
    async with Shopper.opened(carillon, chromium) as shopper:
        yield shopper


@pytest.fixture
async def other(carillon: Carillon, chromium: Browser) -> AsyncIterator[Shopper]:
    """Yield a second browser."""
    async with Shopper.opened(carillon, chromium) as shopper:
        yield shopper


async def test_visit_subscribe_basket_push_click_report(
    carillon: Carillon, shopper: Shopper
) -> None:
    await shopper.open("/")
    await shopper.until_accepted("pageview")
    await shopper.picture("1-visit")
    player = await shopper.subscribe()
    await shopper.picture("2-subscribed")

    await shopper.open("/product/202")
    await shopper.page.click("main .detail [data-add]")
    await shopper.page.click("main .detail [data-add]")
    await shopper.until_accepted("addToBasket")
    await shopper.open("/basket")
    await shopper.until_accepted("pageview")
    await shopper.picture("3-basket")

    send = await shopper.pushed("abandoned-basket")
    [notification] = await shopper.notifications()
    assert notification["title"] == "Ihr Warenkorb wartet"
    assert notification["tag"] == send
    await shopper.picture("4-push")
    await reported(carillon, send, sent=1, impressions=1, clicks=0)

    async with shopper.page.expect_navigation(url="**/basket"):
        await shopper.act("notificationclick")
    await reported(carillon, send, sent=1, impressions=1, clicks=1, closes=0)
    assert await shopper.notifications() == []
    truth = {"deliveries": 1, "displayed": 1, "clicked": 1, "closed": 0}
    assert await happened(carillon, player) == truth

    await shopper.buy("anna@example.test", "Anna")
    await shopper.page.reload()
    await shopper.until_accepted("pageview")
    await shopper.picture("5-bought")
    assert await shopper.page.locator("#log li[data-what=purchase]").count() == 1
    await eventually(lambda: _bought_once(carillon, player), 20, every=0.1)


async def test_log_states_what_a_page_left_unanswered(carillon: Carillon, shopper: Shopper) -> None:
    await shopper.page.route("**/v1/events*", lambda route: None)  # never answered
    await shopper.open("/")
    await shopper.page.click("main [data-add='101']")
    added = shopper.page.locator("#log li[data-what=addToBasket] summary span")
    await added.wait_for(state="attached")
    assert await added.get_attribute("class") == ""
    await shopper.open("/product/202")
    assert "page left" in (await added.text_content() or "")
    await shopper.page.unroute("**/v1/events*")
    await shopper.open("/basket")  # which takes over what the others left
    await shopper.until_accepted("addToBasket")
    assert await added.text_content() == "202"


async def _bought_once(carillon: Carillon, player: str) -> bool:
    found = await person(carillon, player=player)
    export = json.dumps(await carillon.ops("GET", f"/v1/people/{found['id']}/export"))
    return "anna@example.test" in export and export.count('"id": "BR-') >= 1


async def test_two_browsers_of_one_person(
    carillon: Carillon, shopper: Shopper, other: Shopper
) -> None:
    login = f"anna-{uuid.uuid4().hex[:8]}"
    players = set()
    for one in (shopper, other):
        await one.log_in(login)
        players.add(await one.subscribe())
    assert len(players) == 2

    async def is_one() -> bool:
        found = await person(carillon, login=login)
        return found is not None and {p["id"] for p in found["players"]} == players

    await eventually(is_one, 20, every=0.1)
    send = await _send_to(carillon, login)
    for one in (shopper, other):
        await one.page.wait_for_selector(".notification")
    await other.picture("6-second-browser")
    await other.page.click(".notification-close")
    account = await reported(carillon, send, sent=2, impressions=2, closes=1)
    assert account["people"]["sent"] == 1


async def _send_to(carillon: Carillon, login: str) -> str:
    send = str(uuid.uuid4())
    body = {
        "id": send,
        "app": "demo",
        "campaign": "welcome",
        "priority": "transactional",
        "audience": {"logins": [login]},
    }
    await carillon.ops("POST", "/v1/sends", json=body)
    return send


async def test_shared_device_belongs_to_who_is_logged_in(
    carillon: Carillon, shopper: Shopper
) -> None:
    first, second = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("bert", "cora"))
    await shopper.log_in(first)
    player = await shopper.subscribe()
    await shopper.log_out()
    await eventually(lambda: _has_no_player(carillon, first), 20, every=0.1)
    to_first = await _send_to(carillon, first)
    await reported(carillon, to_first, state="done", sent=0)

    await shopper.log_in(second)

    async def moved() -> bool:
        found = await person(carillon, login=second)
        return found is not None and [p["id"] for p in found["players"]] == [player]

    await eventually(moved, 20, every=0.1)
    to_second = await _send_to(carillon, second)
    await shopper.page.wait_for_selector(".notification")
    await reported(carillon, to_second, sent=1, impressions=1)
    assert (await happened(carillon, player))["deliveries"] == 1


async def _has_no_player(carillon: Carillon, login: str) -> bool:
    found = await person(carillon, login=login)
    return found is not None and found["players"] == []


async def test_opting_out_is_known(carillon: Carillon, shopper: Shopper) -> None:
    await shopper.open("/")
    await shopper.subscribe()
    await shopper.page.click("#unsubscribe")

    async def status() -> bool:
        found = (await shopper.profile())["db"]["oneSignal"]
        return bool(found["status"] == "optedOut")

    await eventually(status, 20, every=0.1)
    await shopper.page.click("#subscribe:enabled")
    await eventually(lambda: _subscribed(shopper), 20, every=0.1)


async def _subscribed(shopper: Shopper) -> bool:
    return bool((await shopper.profile())["db"]["oneSignal"]["status"] == "subscribed")


async def test_page_with_its_own_sdk_v15(carillon: Carillon, shopper: Shopper) -> None:
    await shopper.set_up(sdk="v15")
    player = await shopper.subscribe()
    send = await shopper.pushed("welcome")
    assert len(await shopper.notifications()) == 1
    await shopper.picture("7-v15")
    await shopper.act("notificationclose")
    await reported(carillon, send, sent=1, impressions=1, clicks=0, closes=1)
    truth = {"deliveries": 1, "displayed": 1, "clicked": 0, "closed": 1}
    assert await happened(carillon, player) == truth


@pytest.mark.parametrize("sdk", ["v16", "v15"])
async def test_page_with_persoos_loader(carillon: Carillon, shopper: Shopper, sdk: str) -> None:
    await shopper.set_up(sdk=sdk, loader="persoo")
    await shopper.until_accepted("pageview")
    assert await shopper.page.evaluate("persoo.version && !window.carillon")
    assert await shopper.page.evaluate("getComputedStyle(document.body).opacity") == "1"
    player = await shopper.subscribe()
    found = await shopper.page.evaluate("persoo('profile')")
    assert found["db"]["oneSignal"]["playerID"] == player  # the console check of docs/persoo.md
    await shopper.page.click("main [data-add='101']")
    await shopper.until_accepted("addToBasket")
    send = await shopper.pushed("welcome")
    async with shopper.page.expect_navigation():
        await shopper.page.click(".notification-text")
    await reported(carillon, send, sent=1, impressions=1, clicks=1)
    await shopper.picture(f"8-persoo-{sdk}")


async def test_refused_permission_is_reported(carillon: Carillon, chromium: Browser) -> None:
    async with Visitor.open(chromium) as visitor:  # headless, nobody permits anything
        shopper = Shopper(carillon, visitor)
        await shopper.open("/")
        await shopper.page.click("#subscribe:enabled")
        await shopper.page.get_by_text("does not permit notifications").wait_for()
        assert await shopper.page.inner_text("#push-state") == "not subscribed"
        await shopper.picture("9-refused")
        assert visitor.uncaught == []


async def test_shops_other_name_is_a_second_browser(carillon: Carillon, shopper: Shopper) -> None:
    await shopper.open("/product/303")
    await shopper.until_accepted("pageview")
    async with shopper.visitor.context.expect_page() as opened:
        await shopper.page.get_by_role("link", name="Open as a second browser").click()
    second = await opened.value
    await second.wait_for_selector("#log li[data-what=pageview] .good", state="attached")
    assert second.url == shopper.page.url.replace("127.0.0.1", "localhost")
    assert await second.inner_text("#visitor-id") != await shopper.visitor_id()
