"""Connections of a provider: a caller holds one while it calls."""

from __future__ import annotations

import asyncio


async def take_connection(connections: asyncio.Semaphore, within: float) -> bool:
    """Acquire a connection; return False when none becomes free in time."""
    if not connections.locked():  # nearly always; a timer costs more than the rest
        return await connections.acquire()
    try:
        async with asyncio.timeout(within):
            return await connections.acquire()
    except TimeoutError:
        return False
