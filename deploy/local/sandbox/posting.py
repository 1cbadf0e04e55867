"""Posting over HTTP with bounded concurrency: as a service worker does, and as a server does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp

from deploy.local.sandbox.browsers import lets_through, preflight_headers, webhook_headers
from deploy.local.sandbox.models import Browser

Job = Callable[[], Awaitable[None]]
TIMEOUT = aiohttp.ClientTimeout(total=10)
logger = logging.getLogger(__name__)


class Pool:
    """Queue of jobs and so many workers. A job that fails unexpectedly ends alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()

    def put(self, job: Job) -> None:
        self._jobs.put_nowait(job)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._size):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except Exception:
                logger.exception("a post ended unexpectedly")


async def post_webhook(
    session: aiohttp.ClientSession, url: str, browser: Browser, kind: str, body: bytes
) -> bool:
    """Post a webhook once, as a service worker does; return whether it was accepted."""
    try:
        if browser.cors and not await _is_let_through(session, url, browser):
            return False
        headers = webhook_headers(browser, kind)
        async with session.post(url, data=body, headers=headers, allow_redirects=True) as answer:
            return answer.status < 300
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return False


async def _is_let_through(session: aiohttp.ClientSession, url: str, browser: Browser) -> bool:
    async with session.options(url, headers=preflight_headers(browser)) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return lets_through(browser, answer.status, headers)


async def post_event(session: aiohttp.ClientSession, url: str, bearer: str, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status < 300
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return False
