"""Ten times what a key may have at once, as fast as it goes: refused politely, and recovered from."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import orjson

from tests.faults.fault_cluster import FaultCluster

TIMES = 10
A_REQUEST = 500
AT_ONCE = 8
ALLOWED_SECONDS = 1.0  # for a refusal
TIMEOUT_SECONDS = 120.0


@dataclass
class Burst:
    """One shopper's script gone wild, under one key."""

    world: FaultCluster
    app: str
    key: str
    answers: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _accepted: int = 0
    _retry_after: int = 0

    async def run(self) -> str:
        """Returns what happened, in one sentence."""
        before, total = await self._people(), TIMES * int(self.world.settings.limits.key_burst)
        firsts = iter(range(0, total, A_REQUEST))

        async def work() -> None:
            for first in firsts:  # shared: each takes the next one
                await self._post(first)

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        took = time.monotonic() - began
        if not self.answers[429]:
            self.problems.append("nothing of the burst was refused")
        await self._is_let_in_again(total)
        recovered = await self._all_is_stored(before)
        return (
            f"burst: {total} events in {took:.1f} s, answers {dict(self.answers)}; let in again after"
            f" {self._retry_after} s as told; {self._accepted} accepted, all stored {recovered:.0f} s later"
        )

    async def _post(self, first: int) -> httpx.Response:
        events = [{"type": "pageview", "visitorId": f"wild{first + i}"} for i in range(A_REQUEST)]
        url = f"http://{self.world.ingest.address}/v1/events"
        headers = {"X-Write-Key": self.key, "Content-Type": "application/json"}
        began = time.monotonic()
        answer = await self.world.http.post(url, content=orjson.dumps(events), headers=headers)
        took = time.monotonic() - began
        self.answers[answer.status_code] += 1
        if answer.status_code == 202:
            self._accepted += answer.json()["accepted"]
        elif answer.status_code == 429 and int(answer.headers.get("Retry-After", 0)) > 0:
            self._retry_after = int(answer.headers["Retry-After"])
        else:
            self.problems.append(f"burst: {answer.status_code} {answer.text}")
        if answer.status_code != 202 and took > ALLOWED_SECONDS:
            self.problems.append(f"burst: refused after {took:.1f} s")
        return answer

    async def _is_let_in_again(self, first: int) -> None:
        """Check that a request is accepted at the time that the refusal named."""
        await asyncio.sleep(self._retry_after)
        answer = await self._post(first)
        if answer.status_code != 202:
            self.problems.append(f"not let in after Retry-After: {answer.status_code}")

    async def _all_is_stored(self, before: int) -> float:
        began = time.monotonic()
        while await self._people() < before + self._accepted:
            if time.monotonic() - began > TIMEOUT_SECONDS:
                stored = await self._people() - before
                self.problems.append(f"burst: {self._accepted} accepted, {stored} stored")
                break
            await asyncio.sleep(0.5)
        return time.monotonic() - began

    async def _people(self) -> int:
        async with self.world.mongo() as database:
            return await database["profiles"].count_documents({"app": self.app})
