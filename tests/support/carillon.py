"""The whole stack, started as `make run` does, on ports and a data folder of its own."""

from __future__ import annotations

import asyncio
import functools
import hmac
import os
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from tests.support.stack import eventually, free_port

OPS = {"Authorization": "Bearer ops_demo"}
LOGIN_SECRET = "login secret"
START_SECONDS = 60.0
STOP_SECONDS = 40.0


@dataclass(frozen=True)
class Shop:
    """An app of a test's own: its id, its OneSignal app's id, its keys."""

    app: str
    one_signal: str
    write_key: str
    webhook_key: str


class Carillon:
    """Start, look, stop. HTTP by `http`; `pid(name)` names a child to be killed."""

    def __init__(self, data: Path, port_names: dict[str, int] | None = None) -> None:
        self.data = data
        self.ports = port_names or {
            name: free_port()
            for name in ("broker", "database", "sandbox", "shop", "ingest", "sender")
        }
        self.http = httpx.AsyncClient(timeout=30, trust_env=False)
        self.more_env: dict[str, str] = {}  # further settings, before it is started
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        local = {
            f"CARILLON_LOCAL__{name.upper()}_PORT": str(self.ports[name])
            for name in ("broker", "database", "sandbox", "shop")
        }
        return {
            **os.environ,
            **local,
            "CARILLON_DATA_DIR": str(self.data),
            "CARILLON_INGEST__PORT": str(self.ports["ingest"]),
            "CARILLON_SENDER__PORT": str(self.ports["sender"]),
            "CARILLON_KAFKA__BOOTSTRAP_SERVERS": "",
            **self.more_env,
        }

    @property
    def cli_env(self) -> dict[str, str]:
        """Return the environment of commands that a person runs beside the stack."""
        return {
            **self.env,
            "CARILLON_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['broker']}",
        }

    def url(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    async def start(self) -> Self:
        """Returns when everything is ready."""
        self._launch()
        await eventually(self._running, START_SECONDS)
        return self

    def _launch(self) -> None:
        env = {k: v for k, v in self.env.items() if v}
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "screen.txt").open("wb") as screen:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local"], env=env, stdout=screen, stderr=screen
            )

    def _running(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.screen()
        return "Carillon is running" in self.screen()

    def screen(self) -> str:
        return (self.data / "screen.txt").read_text()

    def log(self, name: str) -> str:
        return (self.data / "logs" / f"{name}.log").read_text()

    def pid(self, module: str) -> int:
        """Return the child that runs `python -m <module>`."""
        assert self._process is not None
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if module in child.cmdline():
                    return int(child.pid)
        raise AssertionError(f"no child runs {module}")

    def processes(self) -> list[psutil.Process]:
        """Return the launcher and all its children."""
        assert self._process is not None
        launcher = psutil.Process(self._process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def resident_bytes(self) -> int:
        """Return the memory of the launcher and its children."""
        return sum(int(p.memory_info().rss) for p in self.processes())

    async def stop(self) -> int:
        """Terminate the launcher; return its exit code."""
        await self.http.aclose()
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return await asyncio.to_thread(self._process.wait, STOP_SECONDS)

    async def ops(self, method: str, path: str, **more: Any) -> Any:
        """Return the ops API's answer, which must be a 2xx."""
        answer = await self.http.request(method, self.url("sender", path), headers=OPS, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def sandbox(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, self.url("sandbox", path), **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def open_shop(self, plan: str = "free", **more: Any) -> Shop:
        """Return a web shop with a OneSignal app and the campaign `hello`."""
        name = f"shop-{uuid.uuid4().hex[:8]}"
        shop = Shop(name, str(uuid.uuid4()), f"wk_{name}", f"wh_{name}")
        key = f"os_v2_app_{name}"
        await self.sandbox(
            "PUT", f"/sandbox/apps/{shop.one_signal}", json={"rest_api_key": key, "plan": plan}
        )
        one_signal = {"appId": shop.one_signal, "restApiKey": key, "plan": plan}
        keys = [
            {"id": "web", "kind": "write", "key": shop.write_key},
            {"id": "hook", "kind": "webhook", "key": shop.webhook_key},
        ]
        proof = {"loginHash": {"secret": LOGIN_SECRET}}
        body = {"name": name, "oneSignal": one_signal, "keys": keys, **proof, **more}
        await self.ops("PUT", f"/v1/apps/{name}", json=body)
        await self.ops("PUT", f"/v1/apps/{name}/campaigns/hello", json=campaign())
        return shop

    async def register(self, shop: Shop, count: int, **more: Any) -> list[str]:
        """Register browsers at the sandbox, reported by as many visitors (v0, v1, …); return their
        players.
        """
        hook = self.url("ingest", f"/v1/webhooks/onesignal/{shop.webhook_key}")
        body = {"app_id": shop.one_signal, "count": count, "webhook_url": hook, **more}
        players: list[str] = (await self.sandbox("POST", "/sandbox/browsers", json=body))["ids"]
        for first in range(0, count, 400):
            events = [
                _subscribed(f"v{first + i}", player)
                for i, player in enumerate(players[first : first + 400])
            ]
            await self.collect(shop, events)
        # Each partition of the log is projected in order: the last of each is among the last 100.
        for i in range(max(0, count - 100), count):
            await eventually(functools.partial(self._knows, shop, f"v{i}", players[i]), 60)
        return players

    async def collect(self, shop: Shop, events: list[dict[str, Any]]) -> Any:
        url = self.url("ingest", f"/v1/events?key={shop.write_key}")

        async def stored() -> Any:
            answer = await self.http.post(url, json={"events": events})
            # A new app is known to ingest within 5 s; 503 says to come again.
            return None if answer.status_code in (401, 503) else answer

        answer = await eventually(stored, 20, every=0.1)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def profile(self, shop: Shop, visitor: str) -> Any:
        params = {"key": shop.write_key, "visitorId": visitor}
        answer = await self.http.get(self.url("ingest", "/v1/profile"), params=params)
        return answer.json()

    async def _knows(self, shop: Shop, visitor: str, player: str) -> bool:
        db = (await self.profile(shop, visitor)).get("db", {})
        return player in db.get("affinityToOneSignalPlayerID", [])

    async def trigger(self, shop: Shop, **more: Any) -> str:
        """Post a trigger; return the send's id."""
        body = {"id": str(uuid.uuid4()), "app": shop.app, "campaign": "hello", **more}
        await self.ops("POST", "/v1/sends", json=body)
        return str(body["id"])

    async def closed(self, send: str, timeout: float = 30.0) -> Any:
        """Return the send's account once it is closed."""

        async def look() -> Any:
            try:
                answer = await self.http.get(self.url("sender", f"/v1/sends/{send}"), headers=OPS)
            except httpx.HTTPError:
                return None  # the sender may be away for a while
            body = answer.json() if answer.status_code == 200 else {}
            return body if body.get("closedAt") else None

        return await eventually(look, timeout)

    async def tally(self, shop: Shop) -> Any:
        """Return the sandbox's tally once all browsers are finished."""

        async def look() -> Any:
            tally = await self.sandbox("GET", f"/sandbox/tally?app_id={shop.one_signal}")
            return tally if tally["pending"] == 0 else None

        return await eventually(look, 30)


def prove(login: str, secret: str = LOGIN_SECRET) -> str:
    """Return the login's proof as a shop's server makes it: its `loginHash`."""
    return hmac.new(secret.encode(), login.encode(), "sha256").hexdigest()


def campaign(text: str = "Welcome back") -> dict[str, Any]:
    variant = {
        "id": "a",
        "headings": {"en": "Shop"},
        "contents": {"en": text},
        "url": "https://shop.example.test/",
    }
    return {"name": "Hello", "variants": [variant]}


def _subscribed(visitor: str, player: str) -> dict[str, Any]:
    data = {"playerID": player, "status": "subscribed"}
    return {"id": str(uuid.uuid4()), "type": "oneSignal", "visitorId": visitor, "data": data}
