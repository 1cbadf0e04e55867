"""A client that pipelines requests and reads no answer, as an attack does."""

from __future__ import annotations

import asyncio
import socket
import time

from deploy.kafka.ports import HOST

REQUESTS = 500_000
PAUSE_SECONDS = 0.02  # before a server that doesn't read is tried again
PIECE = 1_000  # requests
UNREAD_SECONDS = 3.0  # after which a server is believed to read no more


class Flood:
    """One connection. `sent` counts the bytes that the server's kernel or the server took."""

    def __init__(self, port: int, request: bytes) -> None:
        self._request = request
        self._port = port
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self.sent = 0
        self.is_cut_off = False

    @property
    def requests(self) -> int:
        return self.sent // len(self._request)

    async def run(self, seconds: float, most: int = REQUESTS) -> None:
        """Send until the server reads no more, for at most so long; the connection stays."""
        deadline = time.monotonic() + seconds
        try:
            await asyncio.get_running_loop().sock_connect(self._socket, (HOST, self._port))
            taken = time.monotonic()
            while self.requests < most and time.monotonic() < min(deadline, taken + UNREAD_SECONDS):
                if await self._send_some():
                    taken = time.monotonic()
        except OSError:
            self.is_cut_off = True

    async def _send_some(self) -> bool:
        text = self._request * PIECE
        try:
            self.sent += self._socket.send(text[self.sent % len(text) :])
        except BlockingIOError:
            await asyncio.sleep(PAUSE_SECONDS)
            return False
        await asyncio.sleep(0)
        return True

    def close(self) -> None:
        self._socket.close()
