"""Delivery of accepted pushes to the browsers, which act by their odds and post webhooks.

An act is marked in memory when the browser does it and stored once its webhook is through. After a
kill -9 the rest of the plan is carried out again from the same dice. So only posted acts are counted,
and a webhook may come twice, as they do in reality.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import aiohttp

from deploy.local.sandbox.browsers import Acts, plan_acts, webhook_body
from deploy.local.sandbox.creation import send
from deploy.local.sandbox.event_posts import EventPosts
from deploy.local.sandbox.faults import Faults, happens
from deploy.local.sandbox.models import Browser, Desk, Notification
from deploy.local.sandbox.posting import TIMEOUT, Pool, post_webhook
from deploy.local.sandbox.rows import act_row, counter_row, progress_row
from deploy.local.sandbox.state import State
from deploy.local.sandbox.store import Store

WEBHOOK_WORKERS = 32
WAITING_MAX = 2_000  # displays planned ahead of the workers
BREATH = 200  # pushes planned before others get the loop
logger = logging.getLogger(__name__)


class Delivery:
    def __init__(
        self,
        state: State,
        store: Store,
        faults: Faults,
        *,
        webhook_url: str,
        clock: Callable[[], float],
    ) -> None:
        self._state, self._store, self._faults = state, store, faults
        self._webhook_url, self._clock = webhook_url, clock
        self._items: asyncio.Queue[Notification] = asyncio.Queue()
        self._room = asyncio.Semaphore(WAITING_MAX)
        self._webhooks = Pool(WEBHOOK_WORKERS)
        self.events = EventPosts(store, clock, finish=self._end)

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as self._session,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._webhooks.run())
            group.create_task(self.events.run(self._session))
            group.create_task(self._feed())

    def resume(self) -> None:
        for desk in self._state.desks.values():
            for item in desk.notifications.values():
                if not item.done and item.state != "canceled":
                    self.start(item)

    def start(self, item: Notification) -> None:
        """Take over a notification that is stored."""
        if item.state == "sent":
            self._items.put_nowait(item)
            return
        wait = max(0.0, item.send_at - self._clock())
        asyncio.get_running_loop().call_later(wait, self._send_due, item)

    def _send_due(self, item: Notification) -> None:
        if item.state != "scheduled" or item.forgotten:
            return
        rows = send(self._state.desks[item.app_id], item, self._clock())
        stored = self._store.write([*rows, progress_row(item)])
        stored.add_done_callback(lambda _: self._items.put_nowait(item))

    async def _feed(self) -> None:
        while True:
            item = await self._items.get()
            try:
                await self._deliver_all(item)
            except Exception:
                logger.exception("a notification could not be delivered")

    async def _deliver_all(self, item: Notification) -> None:
        item.open_posts += 1  # so that it is not done before all of it is planned
        for index in range(len(item.players)):
            if item.forgotten:
                break
            await self._deliver(item, index)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        self._end(item)

    async def _deliver(self, item: Notification, index: int) -> None:
        desk = self._state.desks[item.app_id]
        browser = desk.browsers.get(item.players[index])
        if browser is None or self._is_too_late(item):
            return
        acts = plan_acts(item, browser)
        self.events.put(desk, browser, item, "sent")
        if acts.fails:
            self._mark(desk, item, index, "failed")
            self._store.write([act_row(item, index, "failed")])
        elif browser.auto and acts.displays and not item.acts["displayed"][index]:
            await self._room.acquire()
            self._act(desk, item, index, "displayed", acts)
        elif browser.auto and acts.displays:  # begun before a restart
            self._follow_up(desk, item, index, acts)

    def _is_too_late(self, item: Notification) -> bool:
        """Return whether a push has waited longer than its lifetime."""
        # Only a restart keeps a push waiting: these browsers are always online.
        waited = self._clock() - (item.sent_at or 0.0)
        return waited > max(item.message.ttl, 60)

    def report(self, desk: Desk, item: Notification, index: int, kind: str) -> None:
        """Record what a real page reports; its own service worker posts the webhook."""
        self._mark(desk, item, index, kind)
        self._store.write([act_row(item, index, kind)])

    def _mark(self, desk: Desk, item: Notification, index: int, kind: str) -> None:
        item.acts[kind][index] = min(255, item.acts[kind][index] + 1)
        self.events.put(desk, desk.browsers[item.players[index]], item, kind)

    def _act(self, desk: Desk, item: Notification, index: int, kind: str, acts: Acts) -> None:
        self._mark(desk, item, index, kind)
        item.open_posts += 1
        plan = self._faults.plan.webhooks
        job = partial(self._post, desk, item, index, kind, acts)
        if plan.delay_ms:
            later = asyncio.get_running_loop().call_later
            later(plan.delay_ms / 1000, self._webhooks.put, job)
        else:
            self._webhooks.put(job)

    async def _post(
        self, desk: Desk, item: Notification, index: int, kind: str, acts: Acts
    ) -> None:
        try:
            if not item.forgotten:
                browser = desk.browsers[item.players[index]]
                counted = await self._post_by_plan(desk, item, browser, kind)
                self._store_act(desk, item, index, kind, counted)
        finally:
            if kind == "displayed":
                self._room.release()
                self._follow_up(desk, item, index, acts)
            self._end(item)

    async def _post_by_plan(
        self, desk: Desk, item: Notification, browser: Browser, kind: str
    ) -> list[str]:
        plan, dice = self._faults.plan.webhooks, (self._faults.plan.seed, item.id, browser.id)
        if happens(plan.drop, *dice, kind, "drop"):
            return ["dropped"]
        twice = happens(plan.duplicate, *dice, kind, "duplicate")
        url = browser.webhook_url or self._webhook_url
        body = webhook_body(item, browser, kind, desk.app.name)
        counted = ["duplicated"] if twice else []
        for _ in range(2 if twice else 1):
            taken = await post_webhook(self._session, url, browser, kind, body)
            counted.append("sent" if taken else "failed")
        return counted

    def _store_act(
        self, desk: Desk, item: Notification, index: int, kind: str, counted: list[str]
    ) -> None:
        if item.forgotten:
            return
        names = [f"webhooks.{name}" for name in counted]
        desk.counters.update(names)
        rows = [counter_row(desk.app.id, name, desk.counters[name]) for name in names]
        self._store.write([act_row(item, index, kind), *rows])

    def _follow_up(self, desk: Desk, item: Notification, index: int, acts: Acts) -> None:
        kind = acts.follow_up
        if kind is None or item.forgotten or item.acts[kind][index]:
            return
        item.open_posts += 1
        wait, later = acts.follow_up_seconds, asyncio.get_running_loop().call_later
        later(wait, self._do_follow_up, desk, item, index, acts)

    def _do_follow_up(self, desk: Desk, item: Notification, index: int, acts: Acts) -> None:
        if acts.follow_up is not None and not item.forgotten:
            self._act(desk, item, index, acts.follow_up, acts)
        self._end(item)

    def _end(self, item: Notification) -> None:
        item.open_posts -= 1
        if item.open_posts == 0 and not item.forgotten:
            item.done = True
            self._store.write([progress_row(item)])
