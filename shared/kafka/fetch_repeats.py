"""Fetches that wait longer than the broker does, at little cost while nothing comes.

Tansu checks for new records only twice within a fetch, so a quick answer needs a short wait. That
is twenty fetches a second which bring nothing. To encode one and to decode its answer, partition by
partition, is much of what an idle consumer costs. Here an empty fetch is repeated as the bytes it was,
until its answer is another; the client sees one long fetch, as Apache Kafka would have made it. A reader
whose own process publishes the urgent records may rest in between, until it is notified.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.protocol.fetch import FetchRequest

from shared.clock import Monotonic, monotonic
from shared.loops import Wakeup

Send = Callable[..., Awaitable[Any]]

# A group's progress must not be known later than this (sender_service/store/progress.py).
FETCH_SECONDS = 0.4
# Only its own metrics ask how far a resting group is.
RESTING_FETCH_SECONDS = 5.0
BUSY_AFTER_WAKE_SECONDS = 2.0  # after a wake-up: more may come


class Rest:
    """Pauses between two fetches that bring nothing. A wake-up ends them."""

    def __init__(self, wakeup: Wakeup, seconds: float, ticks: Monotonic = monotonic) -> None:
        self._wakeup = wakeup
        self._seconds = seconds
        self._ticks = ticks
        self._busy_until = 0.0

    async def take(self) -> None:
        """Wait for a wake-up, but not while more is likely to come."""
        if self._ticks() >= self._busy_until and await self._wakeup.wait(self._seconds):
            self._busy_until = self._ticks() + BUSY_AFTER_WAKE_SECONDS


class RepeatedFetches:
    """Replacement of a client's `send`: it repeats fetches, and passes on all else."""

    def __init__(
        self,
        send: Send,
        wait_seconds: float,
        rest: Rest | None = None,
        ticks: Monotonic = monotonic,
    ) -> None:
        self._send = send
        self._rest = rest
        self._timeout = (RESTING_FETCH_SECONDS if rest else FETCH_SECONDS) - wait_seconds
        self._ticks = ticks

    async def send(self, node_id: int, request: Any, **more: Any) -> Any:
        """Return the answer as soon as it holds anything, or after the timeout."""
        if not isinstance(request, FetchRequest):
            return await self._send(node_id, request, **more)
        repeated, until = _Repeated(request), self._ticks() + self._timeout
        first = answer = None
        while answer is None or self._ticks() < until:
            if self._rest and answer is not None:
                await self._rest.take()
            found = await self._send(node_id, repeated, **more)
            if found != first:
                first, answer = found, repeated.decode(found)
                if not _is_empty(answer):
                    break
        return answer


class _Repeated:
    """Fetch that is encoded once, and whose answers aren't decoded.

    It has what the client uses of a request, of its struct, and of its response's type.
    """

    API_KEY = FetchRequest.API_KEY

    def __init__(self, request: Any) -> None:
        self._request = request
        self._versions: Any = None

    def prepare(self, versions: Any) -> _Repeated:
        if versions is not self._versions:  # another connection
            self._struct = self._request.prepare(versions)
            self._encoded: bytes = self._struct.encode()
            self._versions = versions
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> Any:
        return self._struct.build_request_header(correlation_id=correlation_id, client_id=client_id)

    def encode(self) -> bytes:
        return self._encoded

    def parse_response_header(self, answer: io.BytesIO) -> Any:
        return self._struct.parse_response_header(answer)

    @property
    def RESPONSE_TYPE(self) -> type[_Undecoded]:
        return _Undecoded

    def decode(self, answer: bytes) -> Any:
        return self._struct.RESPONSE_TYPE.decode(io.BytesIO(answer))


class _Undecoded:
    @staticmethod
    def decode(answer: io.BytesIO) -> bytes:
        return answer.read()


def _is_empty(answer: Any) -> bool:
    """Check that no partition brought a record or an error."""
    return not any(
        error or rest[-1] for _, places in answer.topics for _, error, _, *rest in places
    )
