"""Prober that asks every live API all the time, and keeps the worst answer and what was accepted."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from shared.ids import derived_id
from tests.faults.fault_cluster import OPS_TOKEN, FaultCluster
from tests.faults.shop import Shop
from tests.faults.webhook_proxy import WebhookProxy

EVERY_SECONDS = 0.1
WEBHOOK_SECONDS = 0.5
BEAT_SECONDS = 0.02
TIMEOUT_SECONDS = 6.0
ALLOWED_SECONDS = 1.0
PAGES_A_VISITOR = 40  # a profile keeps the last 50


class Question(NamedTuple):
    """Request of the prober; `event` is the id of what is accepted with a 2xx."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    event: str | None = None


@dataclass
class Prober:
    """Prober of both services; `slow`: what took over a second or was neither 2xx nor 503 with
    Retry-After.

    `events` were accepted, by their ids; `accepted` and `tried` are its page views, visitor → items.
    """

    world: FaultCluster
    shop: Shop
    webhook_proxy: WebhookProxy
    send: str  # one that there is
    answers: dict[str, int] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    slow: list[str] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    accepted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tried: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _own_delay: float = 0.0  # seconds that the harness's own loop was late, in all

    async def run(self, stop: asyncio.Event) -> None:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._watch_itself(stop))
            for name in self._questions():
                tasks.create_task(self._ask(name, http, stop))

    def _questions(self) -> dict[str, Callable[[int], Question]]:
        """Return requests by name, which begins with the service's: some are stored, others read."""
        seen = "/v1/profile?visitorId=prober-0"
        return {
            "ingest": self._page_view,
            "ingest-webhook": self._webhook,
            "ingest-profile": lambda _: Question("GET", seen),
            "sender": lambda _: Question("GET", "/health/ready"),
            "sender-apps": lambda _: Question("GET", "/v1/apps"),
            "sender-send": lambda _: Question("GET", f"/v1/sends/{self.send}"),
        }

    def _page_view(self, number: int) -> Question:
        visitor, item = f"prober-{number // PAGES_A_VISITOR}", f"p{number}"
        self.tried[visitor].add(item)
        event = {"id": self._uuid(f"page {number}"), "type": "pageview", "visitorId": visitor}
        return Question("POST", "/v1/events", {**event, "data": {"itemID": item}}, event["id"])

    def _webhook(self, number: int) -> Question:
        """Build a well-formed webhook of no send of ours."""
        message, player = self._uuid(f"message {number}"), self._uuid(f"player {number}")
        webhook: dict[str, Any]
        webhook = {"event": "notification.willDisplay", "notificationId": message, "heading": "h"}
        tag = f"v1.k.{message}.0.0.{'0' * 22}"
        webhook |= {"subscriptionId": player, "additionalData": {"carillon": tag}}
        path = f"/v1/webhooks/onesignal/{self.shop.webhook_key}"
        event = derived_id(self.shop.app, "impression", message, player, "")
        return Question("POST", path, webhook, event)

    def _uuid(self, name: str) -> str:
        dice = Random(f"prober:{self.shop.app}:{name}")
        return str(UUID(int=dice.getrandbits(128), version=4))

    async def _watch_itself(self, stop: asyncio.Event) -> None:
        """Measure how late the harness itself is, which is no part of an answer's time."""
        while not stop.is_set():
            began = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._own_delay += max(0.0, time.monotonic() - began - BEAT_SECONDS)

    async def _ask(self, name: str, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        service, number = name.partition("-")[0], 0
        question = self._questions()[name]
        while not stop.is_set():
            since = self.world.up.get(service)
            may_wait = name == "ingest-webhook" and self.webhook_proxy.is_paused
            if since is not None and not may_wait:
                began, delay = time.monotonic(), self._own_delay
                outcome = await self._one(service, question(number), http)
                took = max(0.0, time.monotonic() - began - (self._own_delay - delay))
                number += 1
                if self.world.up.get(service) == since:  # nobody killed it meanwhile
                    self._note(name, took, outcome)
            await asyncio.sleep(WEBHOOK_SECONDS if name == "ingest-webhook" else EVERY_SECONDS)

    async def _one(self, service: str, asked: Question, http: httpx.AsyncClient) -> str:
        """Ask once; return "" for an answer as it should be."""
        url = f"http://{self.world.servers[service].address}{asked.path}"
        headers = {"X-Write-Key": self.shop.write_key, "Authorization": f"Bearer {OPS_TOKEN}"}
        try:
            answer = await http.request(asked.method, url, json=asked.body, headers=headers)
        except httpx.HTTPError as exc:
            return type(exc).__name__
        if answer.is_success:
            self._accepted(asked)
            return ""
        health = "health" in asked.path
        honest = answer.status_code == 503 and (health or "Retry-After" in answer.headers)
        return "" if honest else f"{answer.status_code} {answer.text}"

    def _accepted(self, asked: Question) -> None:
        if asked.event is not None and asked.body is not None:
            self.events.add(asked.event)
            if "visitorId" in asked.body:
                self.accepted[asked.body["visitorId"]].add(asked.body["data"]["itemID"])

    def _note(self, name: str, took: float, outcome: str) -> None:
        self.answers[name] = self.answers.get(name, 0) + 1
        self.worst[name] = max(self.worst.get(name, 0.0), took)
        if outcome or took > ALLOWED_SECONDS:
            self.slow.append(f"{name}: {outcome or 'answered'} after {took:.2f} s")
