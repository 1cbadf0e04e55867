"""Posting of Event Stream events at least once: a few attempts with growing pauses."""

import asyncio
from collections.abc import Callable
from functools import partial

import aiohttp
import orjson

from deploy.local.sandbox.models import Browser, Desk, Notification
from deploy.local.sandbox.posting import Pool, post_event
from deploy.local.sandbox.rows import counter_row
from deploy.local.sandbox.store import Store
from deploy.local.sandbox.streams import STREAM_KINDS, stream_body

WORKERS = 8
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)


class EventPosts:
    def __init__(
        self, store: Store, clock: Callable[[], float], *, finish: Callable[[Notification], None]
    ) -> None:
        self._store, self._clock, self._finish = store, clock, finish
        self._pool = Pool(WORKERS)

    async def run(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        await self._pool.run()

    def put(self, desk: Desk, browser: Browser, item: Notification | None, kind: str) -> None:
        """Post an event, unless it is a close. `kind` is an act, or OneSignal's own word."""
        if desk.app.stream is None or kind == "closed":
            return
        if item is not None:
            item.open_posts += 1
        event = stream_body(desk, browser, item, STREAM_KINDS.get(kind, kind), self._clock())
        self._pool.put(partial(self._post, desk, item, orjson.dumps(event), 0))

    async def _post(self, desk: Desk, item: Notification | None, body: bytes, attempt: int) -> None:
        stream = desk.app.stream
        is_due = stream is not None and not (item is not None and item.forgotten)
        if stream is not None and is_due:
            taken = await post_event(self._session, stream.url, stream.bearer, body)
            if not taken and attempt < len(PAUSES_SECONDS):
                job = partial(self._post, desk, item, body, attempt + 1)
                later = asyncio.get_running_loop().call_later
                later(PAUSES_SECONDS[attempt], self._pool.put, job)
                return
            self._count(desk, "streams.sent" if taken else "streams.failed")
        if item is not None:
            self._finish(item)

    def _count(self, desk: Desk, name: str) -> None:
        desk.counters[name] += 1
        self._store.write([counter_row(desk.app.id, name, desk.counters[name])])
