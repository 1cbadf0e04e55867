"""Bounds on what one connection asks for before it has its answers (HTTP pipelining)."""

from __future__ import annotations

import asyncio
from collections.abc import Sized

from uvicorn.protocols.http.flow_control import FlowControl

MAX_QUEUED = 10  # requests of a connection that wait for the answer to one before them
HEAD_END = b"\r\n\r\n"  # the parser takes no other


def is_one_request(data: bytes) -> bool:
    """Check whether data is one request or a part of one, perhaps an end before it, as nearly all are."""
    found = data.find(HEAD_END)
    return found < 0 or data.find(HEAD_END, found + len(HEAD_END)) < 0


def piece_end(data: bytes, start: int) -> int:
    """Return where to stop parsing, so that at most MAX_QUEUED requests begin.

    A head that began in an earlier piece may end in this one, hence one less here.
    """
    for _ in range(MAX_QUEUED - 1):
        found = data.find(HEAD_END, start)
        if found < 0:
            return len(data)
        start = found + len(HEAD_END)
    return start


class QueueFlow(FlowControl):
    """Flow control that reads nothing while a request of the connection waits for its turn.

    uvicorn resumes reading with each answer, and whenever an application asks for a body.
    """

    def __init__(self, transport: asyncio.Transport, queue: Sized) -> None:
        super().__init__(transport)
        self._queue = queue

    def resume_reading(self) -> None:
        if self.read_paused and not self._queue:
            super().resume_reading()
