"""A client that comes again with the same ids until it is taken, and notes what it should never get."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import httpx

from shared.errors import LogUnavailable
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from tests.faults.fault_cluster import FaultCluster

GIVE_UP_SECONDS = 90.0
PAUSE_SECONDS = 0.2


class RetryingClient:
    """Client of one round, which repeats what was not accepted."""

    def __init__(self, world: FaultCluster, writer: LogWriter) -> None:
        self._world = world
        self._writer = writer
        self.refused: Counter[str] = Counter()  # honest 503s, by their code
        self.strange: list[str] = []  # answers that are neither a 2xx nor an honest 503

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Post until the answer is a 2xx; return that."""
        headers = {"Content-Type": "application/json", **headers}
        deadline = time.monotonic() + GIVE_UP_SECONDS
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                answer = await self._world.http.post(url, content=body, headers=headers)
            except httpx.TransportError as exc:
                last = type(exc).__name__
            else:
                if answer.is_success:
                    return answer
                last = f"{answer.status_code} {answer.text}"
                self._check_answer(url, answer)
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{url} took nothing for {GIVE_UP_SECONDS:g} s; the last: {last}")

    async def publish(self, record: OutgoingRecord) -> None:
        """Publish by the log, as internal systems do."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return await self._writer.publish([record])
            except LogUnavailable:
                assert time.monotonic() < deadline, "the log never came back"
                await asyncio.sleep(PAUSE_SECONDS)

    def _check_answer(self, url: str, answer: httpx.Response) -> None:
        """Count a 503 with Retry-After; note any other status but 401.

        A key may be unknown for 5 s after its app was made.
        """
        honest = answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) > 0
        if honest:
            self.refused[answer.json()["code"]] += 1
        elif answer.status_code != 401:
            self.strange.append(f"{url}: {answer.status_code} {answer.text}")
