"""One event's way through protocol, endpoint and collector, measured in bytecodes of our own code.

Times differ twofold between runs of one machine; this count does not.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from shared.http.bounds import BoundedProtocol
from tests.bench.firing import request
from tests.support.ingest_api import Api

OURS = ("/ingest_service/", "/shared/")
WARM, COUNTED = 5, 20  # requests: caches are filled by the first ones
MOST = 2_200  # bytecodes a request; 1,962 when this was written, of CPython 3.11


class Wire(asyncio.Transport):
    """A connection whose answers are only counted."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 4711), "sockname": ("127.0.0.1", 8080)})
        self.accepted = 0
        self._answered = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.accepted += bytes(data).count(b"HTTP/1.1 202 ")
        self._answered.set()

    async def wait_for(self, accepted: int) -> None:
        while self.accepted < accepted:
            self._answered.clear()
            await self._answered.wait()

    def is_closing(self) -> bool:
        return False


def count_bytecodes(counts: Counter[str]) -> Any:
    """Return a trace function that counts what our files execute, by function."""

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        if not any(part in code.co_filename for part in OURS):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        name = code.co_qualname

        def local(frame: FrameType, event: str, arg: object) -> Any:
            if event == "opcode":
                counts[name] += 1
            return local

        return local

    return trace


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other versions have other bytecodes")
async def test_one_event_costs_no_more_than_it_did(api: Api) -> None:
    config = uvicorn.Config(
        api.asgi, loop="none", http=BoundedProtocol, ws="none", lifespan="off", log_config=None
    )
    config.load()
    protocol, wire = BoundedProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    body = request(1).replace(b"wk_demo", b"wk_open")

    async def ask(times: int) -> None:
        for _ in range(times):
            expected = wire.accepted + 1
            protocol.data_received(body)
            await wire.wait_for(expected)

    await asyncio.wait_for(ask(WARM), 10)
    counts: Counter[str] = Counter()
    before = sys.gettrace()
    sys.settrace(count_bytecodes(counts))
    try:
        # A task of its own: a frame that runs already isn't traced.
        await asyncio.create_task(ask(COUNTED))
    finally:
        sys.settrace(before)
    dearest = ", ".join(f"{n} {c // COUNTED}" for n, c in counts.most_common(5))
    assert counts.total() / COUNTED < MOST, dearest
    assert counts.total() / COUNTED > MOST / 2, "too few: something isn't counted any more"
