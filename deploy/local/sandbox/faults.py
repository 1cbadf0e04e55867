"""Faults on request, repeatable by seed."""

import asyncio
from hashlib import blake2b
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

Fault = Literal["429", "500", "503_html", "empty", "hang", "accepted_then_timeout"]
Chance = Field(default=0.0, ge=0, le=1)


class WebhookFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")

    drop: float = Chance
    duplicate: float = Chance
    delay_ms: int = Field(default=0, ge=0)


class FaultPlan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    latency_ms: int = Field(default=0, ge=0)
    odds: dict[Fault, float] = Field(default_factory=dict)
    retry_after: int = Field(default=1, ge=0)
    hold: bool = False
    webhooks: WebhookFaults = Field(default_factory=WebhookFaults)


class Faults:
    """Plan in force, its dice (one a kind of call), and the end that calls wait for."""

    def __init__(self) -> None:
        self.plan = FaultPlan()
        self._dice: dict[str, Random] = {}
        self._lifted = asyncio.Event()
        self.is_closing = False

    def put(self, plan: FaultPlan) -> None:
        """Replace the plan whole, and end the waits of calls that the last one held or hung."""
        self.plan = plan
        self._dice.clear()
        self._lifted.set()
        self._lifted = asyncio.Event()

    def close(self) -> None:
        """End all waits, at the end of the server."""
        self.is_closing = True
        self.put(FaultPlan())

    def draw(self, endpoint: str) -> Fault | None:
        if not self.plan.odds:
            return None
        dice = self._dice.setdefault(endpoint, Random(f"{self.plan.seed}:{endpoint}"))
        drawn = dice.random()
        for fault, odds in self.plan.odds.items():
            if drawn < odds:
                return fault
            drawn -= odds
        return None

    async def slow_down(self) -> None:
        if self.plan.latency_ms:
            await asyncio.sleep(self.plan.latency_ms / 1000)

    async def wait_lifted(self, request: Request) -> None:
        """Wait until the plan is replaced or the client has gone."""
        lifted = asyncio.ensure_future(self._lifted.wait())
        gone = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait([lifted, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            lifted.cancel()
            gone.cancel()


def happens(odds: float, seed: int, *parts: str) -> bool:
    return odds >= 1 or (odds > 0 and chance(seed, *parts) < odds)


def chance(seed: int, *parts: str) -> float:
    """Return a number in [0, 1) that depends on nothing but its arguments."""
    digest = blake2b("\0".join((str(seed), *parts)).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 56)
