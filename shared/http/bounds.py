"""Bounds on the cost of a connection before its client is known. uvicorn itself sets none.

Heads are counted as they arrive. One check a second finds the requests that take too long. So a
request within its bounds pays next to nothing for this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from shared.http.heads import head_size, is_servable, without_upgrade
from shared.http.pipeline import QueueFlow, is_one_request, piece_end
from shared.http.quota import ConnectionQuota
from shared.loops import run_periodically

MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
HEAD_SECONDS = 10.0  # also until a new connection's first byte
BODY_SECONDS = 30.0  # and what it takes at this pace:
BODY_PACE = 16 * 1024  # bytes a second
ANSWER_SECONDS = 60.0  # that a client may leave its answer unread
CONNECTION_CHECK_SECONDS = 1.0
REFUSALS = {
    400: ("bad_request", "this is not HTTP"),
    408: ("too_slow", "the request didn't arrive in time"),
    429: ("too_many_connections", "this address has too many connections"),
    431: ("head_too_large", f"at most {MAX_HEADERS} headers in {MAX_HEAD_BYTES // 1024} KiB"),
    503: ("too_many_connections", "all connections are taken"),
}
CROWDED = frozenset({429, 503})


class BoundedProtocol(HttpToolsProtocol):
    """Connection whose head, size, pace and idleness are bounded."""

    most = 2_000  # connections at once
    shares = ConnectionQuota(most, ())
    whose: str | None = None  # by address, where that is counted
    began: float | None = None  # the request that is being read; None between two
    received = 0  # bytes of the request that is being read, at least
    aside = 0  # of those, the last ones that aren't its body: a head, or what may follow a body
    unread: tuple[int, float] = (0, 0.0)  # bytes of answers, since when it is as many
    running: RequestResponseCycle | None = None  # the request that is being answered
    unparsed = b""  # what was read, but waits to be parsed; only while requests are queued
    answered = 0.0  # when the last answer was complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = QueueFlow(transport, self.pipeline)
        self.began = self.loop.time()
        self.whose = self.shares.take(self.client[0]) if self.client else None
        if len(self.connections) > self.most:
            self.refuse(503)
        elif self.whose is not None and self.shares.is_over(self.whose):
            self.refuse(429)

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop_requests()
        super().connection_lost(exc)
        if self.whose is not None:
            self.shares.release(self.whose)

    def data_received(self, data: bytes) -> None:
        if self.unparsed:
            self.unparsed += data
        elif is_one_request(data):
            self._parse(data)
        else:
            self._parse_until_queued(data)

    def _parse_until_queued(self, data: bytes) -> None:
        """Parse piece by piece; as soon as a request waits, keep the rest."""
        start, size = 0, len(data)
        while start < size and not self.pipeline and not self.transport.is_closing():
            end = piece_end(data, start)
            self._parse(data if end - start == size else data[start:end])
            start = end
        self.unparsed = data[start:] if self.pipeline else b""

    def _parse(self, data: bytes) -> None:
        if self.began is None:
            self.began, self.received, self.aside = self.loop.time(), 0, 0
        self.received += len(data)
        self.aside += len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as exc:
            self._parse(self._head_without_upgrade() + data[exc.args[0] :])
            return
        except HttpParserError:
            self.refuse(400)
        if self.began is not None and self._is_head_too_large():
            self.refuse(431)

    def on_message_begin(self) -> None:
        if self.began is None:  # behind another one: `received` counts that too
            self.began, self.aside = self.loop.time(), 0
        HttpToolsProtocol.on_message_begin(self)

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS or self._is_long_head():
            self._stop(431)
        if not is_servable(self.parser.get_http_version(), self.headers):
            self._stop(400)
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop(400)
            return  # parsed once more: see _parse
        HttpToolsProtocol.on_headers_complete(self)
        self.headers = []  # trailers come here and stay unread: they are no headers

    def on_body(self, body: bytes) -> None:
        self.aside = 0
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            HttpToolsProtocol.on_message_complete(self)
        self.began = None

    def on_response_complete(self) -> None:
        """Go on with what waits."""
        # uvicorn sets a timer for each answer; here one check is for all.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.answered = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        if self.unparsed and not self.pipeline:
            data, self.unparsed = self.unparsed, b""
            self._parse_until_queued(data)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.running = cycle
        HttpToolsProtocol._start_asgi_task(self, cycle, app)

    def _stop(self, status: int) -> None:
        """Refuse, and end the parser before the request is begun."""
        self.refuse(status)
        raise ValueError("refused")

    def _is_handed_over(self) -> bool:
        """Return whether the request that is being read has been handed over."""
        return self.cycle is not None and self.cycle.scope is self.scope

    def _is_head_too_large(self) -> bool:
        """Check the bytes and headers read, also those behind a chunked body."""
        # The parser keeps trailers as it does a head's headers.
        many = len(self.headers or ())
        if self._is_handed_over():
            many += len(list(self.scope["headers"]))
        return self.aside > MAX_HEAD_BYTES or many > MAX_HEADERS

    def _is_long_head(self) -> bool:
        """Check the head's size where it came in one piece, perhaps with a body."""
        return self.received > MAX_HEAD_BYTES < head_size(self.url, self.headers)

    def _head_without_upgrade(self) -> bytes:
        parser = self.parser
        return without_upgrade(
            parser.get_http_version(), parser.get_method(), self.url, self.headers
        )

    def enforce_timeouts(self, now: float) -> None:
        """Refuse a request that takes too long to arrive, or its answer to be read."""
        self._check_answers(now)
        if self.began is None:
            self._check_idleness(now)
            return
        if self.flow.read_paused:  # it waits for us
            self.began += CONNECTION_CHECK_SECONDS
        allowed = (
            BODY_SECONDS + self.received / BODY_PACE if self._is_handed_over() else HEAD_SECONDS
        )
        if now - self.began > allowed:
            self.refuse(408)

    def _check_idleness(self, now: float) -> None:
        is_idle = self.running is None or self.running.response_complete
        if is_idle and now - self.answered > self.timeout_keep_alive:
            self.timeout_keep_alive_handler()

    def _check_answers(self, now: float) -> None:
        size = self.transport.get_write_buffer_size()
        if size != self.unread[0]:
            self.unread = size, now
        elif size and now - self.unread[1] > ANSWER_SECONDS:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        self.refuse(400)

    def _can_answer(self) -> bool:
        """Return whether an answer now would be taken for that of the request being read."""
        cycle = self.running
        if cycle is None:
            return True
        if self._is_handed_over():
            return cycle is self.cycle and not cycle.response_started
        return cycle.response_complete

    def refuse(self, status: int) -> None:
        """Answer, where no other answer is under way or due before, and close."""
        if self.transport.is_closing():
            return
        if self._can_answer() and (self.received or status in CROWDED):
            self.transport.write(_answer(status))
        self._drop_requests()
        self.transport.close()

    def _drop_requests(self) -> None:
        """Forget those that wait, and end the one that runs."""
        self.pipeline.clear()
        self.unparsed = b""
        cycle = self.running
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()


def _answer(status: int) -> bytes:
    code, message = REFUSALS[status]
    body = orjson.dumps({"code": code, "message": message, "errors": []})
    later = b"retry-after: 1\r\n" if status in CROWDED else b""
    return b"%scontent-type: application/json\r\ncontent-length: %d\r\n%sconnection: close\r\n\r\n%s" % (
        STATUS_LINE[status], len(body), later, body,
    )  # fmt: skip


async def watch_connections(connections: Iterable[object], stop: asyncio.Event) -> None:
    """Enforce the timeouts of all connections once a second, until `stop`."""

    async def step() -> None:
        now = asyncio.get_running_loop().time()
        for connection in [c for c in connections if isinstance(c, BoundedProtocol)]:
            connection.enforce_timeouts(now)

    await run_periodically(step, CONNECTION_CHECK_SECONDS, stop)
