"""Debian's Firefox as it is, driven over WebDriver BiDi, which it speaks by itself: Playwright drives
a Firefox of its own only."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import orjson

FIREFOX = os.environ.get("CARILLON_TEST_FIREFOX") or shutil.which("firefox-esr") or ""
LISTENS = "WebDriver BiDi listening on "
# A browser that asks nothing of the outside.
QUIET = {
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,none",
    "toolkit.telemetry.enabled": False,
}


@dataclass
class Firefox:
    """One window; `uncaught` are the errors that its pages did not catch."""

    socket: aiohttp.ClientWebSocketResponse
    tab: str = ""
    uncaught: list[str] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1))

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result, one at a time; events are read meanwhile."""
        asked = next(self._ids)
        await self.socket.send_json({"id": asked, "method": method, "params": params})
        while True:
            message = orjson.loads((await self.socket.receive(timeout=30)).data)
            if message.get("method") == "log.entryAdded":
                self._heard(message["params"])
            if message.get("id") == asked:
                assert message["type"] == "success", message
                result: dict[str, Any] = message["result"]
                return result

    def _heard(self, entry: dict[str, Any]) -> None:
        if entry["type"] == "javascript" and entry["level"] == "error":
            self.uncaught.append(entry["text"])

    async def go(self, url: str) -> None:
        await self.command("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, awaited if it is a promise."""
        found = await self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify([await ({expression})]))()",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        [value] = orjson.loads(found["result"]["value"])
        return value


@asynccontextmanager
async def open_firefox(profile: Path, **preferences: Any) -> AsyncIterator[Firefox]:
    lines = [
        f"user_pref({orjson.dumps(name).decode()}, {orjson.dumps(value).decode()});"
        for name, value in {**QUIET, **preferences}.items()
    ]
    (profile / "user.js").write_text("\n".join(lines))
    process = await asyncio.create_subprocess_exec(
        FIREFOX, "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    reading = None
    try:
        url = await asyncio.wait_for(_address(process.stderr), 60)
        reading = asyncio.create_task(process.stderr.read())  # else it waits for a reader one day
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/session") as socket:
            firefox = Firefox(socket)
            await firefox.command("session.new", capabilities={})
            await firefox.command("session.subscribe", events=["log.entryAdded"])
            tree = await firefox.command("browsingContext.getTree")
            firefox.tab = tree["contexts"][0]["context"]
            yield firefox
            await firefox.command("browser.close")
            await asyncio.wait_for(process.wait(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if reading is not None:
            await reading


async def _address(errors: asyncio.StreamReader) -> str:
    while line := (await errors.readline()).decode():
        if LISTENS in line:
            return line.split()[-1]
    raise AssertionError("Firefox has ended before it listened")
