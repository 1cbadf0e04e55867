"""Asks every live API all the time, and keeps the worst answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import httpx

from tests.faults.shop import Shop
from tests.faults.world import OPS_TOKEN, World

EVERY_SECONDS = 0.1
BEAT_SECONDS = 0.02
PATIENCE_SECONDS = 6.0
ALLOWED_SECONDS = 1.0

# By name, which begins with the service's: everything that is kept (the log), and that is looked up.
QUESTIONS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "ingest": ("POST", "/v1/events", {"type": "pageview", "visitorId": "prober"}),
    "ingest-profile": ("GET", "/v1/profile?visitorId=prober", None),
    "sender": ("GET", "/health/ready", None),
    "sender-apps": ("GET", "/v1/apps", None),
    "sender-send": ("GET", "/v1/sends/{send}", None),
}


@dataclass
class Prober:
    """`slow`: what took longer than a second or was neither 2xx nor 503 with when to come again."""

    world: World
    shop: Shop
    send: str  # one that there is
    answers: dict[str, int] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    slow: list[str] = field(default_factory=list)
    _own_delay: float = 0.0  # seconds that the harness's own loop was late, in all

    async def run(self, stop: asyncio.Event) -> None:
        async with (
            httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as http,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._watch_itself(stop))
            for name in QUESTIONS:
                tasks.create_task(self._ask(name, http, stop))

    async def _watch_itself(self, stop: asyncio.Event) -> None:
        """What the harness itself was late by is nobody else's answer time."""
        while not stop.is_set():
            began = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._own_delay += max(0.0, time.monotonic() - began - BEAT_SECONDS)

    async def _ask(self, name: str, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        service = name.partition("-")[0]
        address = self.world.servers[service].address
        while not stop.is_set():
            since = self.world.up.get(service)
            if since is not None:
                began, delay = time.monotonic(), self._own_delay
                verdict = await self._one(name, address, http)
                took = max(0.0, time.monotonic() - began - (self._own_delay - delay))
                if self.world.up.get(service) == since:  # nobody killed it meanwhile
                    self._note(name, took, verdict)
            await asyncio.sleep(EVERY_SECONDS)

    async def _one(self, name: str, address: str, http: httpx.AsyncClient) -> str:
        """ "" for an answer as it should be."""
        method, path, body = QUESTIONS[name]
        url = f"http://{address}{path.format(app=self.shop.app, send=self.send)}"
        headers = {"X-Write-Key": self.shop.write_key, "Authorization": f"Bearer {OPS_TOKEN}"}
        try:
            answer = await http.request(method, url, json=body, headers=headers)
        except httpx.HTTPError as exc:
            return type(exc).__name__
        honest = answer.status_code == 503 and ("health" in path or "Retry-After" in answer.headers)
        if answer.is_success or honest:
            return ""
        return f"{answer.status_code} {answer.text}"

    def _note(self, name: str, took: float, verdict: str) -> None:
        self.answers[name] = self.answers.get(name, 0) + 1
        self.worst[name] = max(self.worst.get(name, 0.0), took)
        if verdict or took > ALLOWED_SECONDS:
            self.slow.append(f"{name}: {verdict or 'answered'} after {took:.2f} s")
