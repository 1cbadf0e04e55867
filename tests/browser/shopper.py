"""Shopper at the demo shop: what a person does there, and what Carillon made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, Page, Worker

from tests.browser.conftest import ARTEFACTS
from tests.browser.visitor import Visitor
from tests.support.carillon import OPS, Carillon
from tests.support.stack import eventually

WAIT = 30.0
DEMO_APP_ID = "5eed0000-ca21-4110-8000-0000000de300"


# What a picture waits for: the page with its images, each event's answer, and what Carillon knows, with
# the player where there is one. Returns the names of what is not so yet.
UNSETTLED = """() => {
    const text = (id) => document.getElementById(id)?.textContent ?? '';
    const player = text('player-id');
    const answers = [...document.querySelectorAll('#log summary span')];
    const wanted = {
        page: document.readyState === 'complete',
        visitor: text('visitor-id') !== '',
        button: !document.querySelector('#subscribe:disabled'),
        answers: answers.every((answer) => answer.className),
        profile: text('profile').startsWith('{'),
        player: player === 'none yet' || text('profile').includes(player),
        images: [...document.images].every((image) => image.complete),
    };
    return Object.keys(wanted).filter((what) => !wanted[what]);
}"""


class Shopper:
    def __init__(self, carillon: Carillon, visitor: Visitor) -> None:
        self.carillon = carillon
        self.visitor = visitor

    @classmethod
    @asynccontextmanager
    async def opened(cls, carillon: Carillon, chromium: Browser) -> AsyncIterator[Self]:
        """Yield a browser of its own, in which the shop may notify; nothing may go uncaught there."""
        async with Visitor.open(chromium, carillon.url("shop", "")) as visitor:
            yield cls(carillon, visitor)
        assert visitor.uncaught == []

    @property
    def page(self) -> Page:
        return self.visitor.page

    async def open(self, path: str = "/") -> None:
        await self.visitor.go(self.carillon.url("shop", path))
        await self.page.wait_for_function("window.shopSaw")

    async def set_up(self, **choice: str) -> None:
        """Choose the loader and the SDK of the shop's pages."""
        await self.open("/")
        for name, value in choice.items():
            async with self.page.expect_navigation():
                await self.page.select_option(f"#setup select[name={name}]", value)

    async def subscribe(self) -> str:
        """Subscribe by the button; return the player id once Carillon has it for this visitor."""
        await self.page.click("#subscribe:enabled")
        await self.page.wait_for_selector("#push-state.on")
        player = await self.page.inner_text("#player-id")
        await eventually(lambda: self._knows(player), WAIT, every=0.1)
        return player

    async def _knows(self, player: str) -> bool:
        db = (await self.profile())["db"]
        return player in db["affinityToOneSignalPlayerID"]

    async def visitor_id(self) -> str:
        return await self.page.inner_text("#visitor-id")

    async def profile(self) -> Any:
        params = {"key": "wk_demo", "visitorId": await self.visitor_id()}
        url = self.carillon.url("ingest", "/v1/profile")
        return (await self.carillon.http.get(url, params=params)).json()

    async def log_in(self, login: str) -> None:
        await self.open("/login")
        await self.page.fill("#login input[name=login]", login)
        await self.page.click("#login button")
        await self.until_accepted("identify")

    async def log_out(self) -> None:
        await self.open("/login")
        await self.page.click("#logout")
        await self.until_accepted("logout")

    async def fill(self, item: str) -> None:
        """Put one of the item into the basket, and look at the basket."""
        await self.open(f"/product/{item}")
        await self.page.click("main .detail [data-add]")
        await self.until_accepted("addToBasket")
        await self.open("/basket")
        await self.until_accepted("pageview")

    async def buy(self, email: str, name: str) -> None:
        """Buy what is in the basket; return once the order is accepted."""
        await self.open("/checkout")
        await self.page.fill("#checkout input[name=email]", email)
        await self.page.fill("#checkout input[name=name]", name)
        await self.page.click("#checkout button")
        await self.page.wait_for_url("**/thank-you")
        await self.until_accepted("purchase")

    async def picture(self, name: str) -> None:
        await self.until_complete()
        path: Path = ARTEFACTS / f"{name}.png"
        await self.page.screenshot(path=path)

    async def until_accepted(self, kind: str) -> None:
        """Wait until the page's log shows the last event of this kind as accepted."""
        await self.page.wait_for_selector(
            f"#log li[data-what={kind}] .good >> nth=0", state="attached"
        )

    async def pushed(self, campaign: str) -> str:
        """Push by the button; return the send's id once its notification is shown."""
        async with self.page.expect_response("**/demo/push") as answer:
            await self.page.click(f"[data-campaign={campaign}]")
        send = str((await (await answer.value).json())["send"])
        await self.page.wait_for_selector(".notification")
        return send

    async def until_complete(self) -> None:
        missing: list[str] = []

        async def is_complete() -> bool:
            missing[:] = await self.page.evaluate(UNSETTLED)
            if missing:
                # The shop asks once, a second after an event; a busy projector takes longer.
                await self.page.evaluate("document.getElementById('profile-refresh').click()")
            return not missing

        try:
            await eventually(is_complete, WAIT, every=0.25)
        except AssertionError:
            raise AssertionError(f"the page has no {missing} after {WAIT:g} s") from None

    async def worker(self) -> Worker:
        def running() -> Worker | None:
            workers = [w for w in self.visitor.context.service_workers if "OneSignal" in w.url]
            return workers[0] if workers else None

        found: Worker = await eventually(running)
        return found

    async def notifications(self) -> list[dict[str, Any]]:
        """Return the notifications that the browser shows."""
        worker = await self.worker()
        displayed: list[dict[str, Any]] = await worker.evaluate(
            "registration.getNotifications().then((all) => all.map((n) =>"
            " ({title: n.title, body: n.body, tag: n.tag, actions: n.actions.length})))"
        )
        return displayed

    async def act(self, event: str, action: str = "") -> None:
        """Press or close the notification itself: headless, there is no desktop to do it on."""
        await (await self.worker()).evaluate(
            "([event, action]) => registration.getNotifications().then(([notification]) => {"
            " self.dispatchEvent(new NotificationEvent(event, {notification, action}));"
            " if (event === 'notificationclose') notification.close(); })",
            [event, action],
        )


async def person(carillon: Carillon, **search: str) -> Any:
    found = await carillon.ops("POST", "/v1/people/search", json={"app": "demo", **search})
    return found["items"][0] if found["items"] else None


async def reported(carillon: Carillon, send: str, **counts: int | str) -> Any:
    """Return the send's account, once it has these values."""

    async def look() -> Any:
        answer = await carillon.http.get(carillon.url("sender", f"/v1/sends/{send}"), headers=OPS)
        account = answer.json()
        return account if counts.items() <= account.items() else None

    try:
        return await eventually(look, WAIT, every=0.1)
    except AssertionError:
        account = await carillon.ops("GET", f"/v1/sends/{send}")
        raise AssertionError(f"wanted {counts}, there is {account}") from None


async def happened(carillon: Carillon, player: str) -> dict[str, int]:
    """Return the sandbox's own counts for one player."""
    tally = await carillon.sandbox("GET", f"/sandbox/tally?app_id={DEMO_APP_ID}")
    own = [push for push in tally["pushes"] if push["player_id"] == player]
    kinds = ("deliveries", "displayed", "clicked", "closed")
    return {kind: sum(push[kind] for push in own) for kind in kinds}
