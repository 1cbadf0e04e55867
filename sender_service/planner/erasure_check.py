"""Erasures that happen while a page is planned, as the planner sees them."""

from __future__ import annotations

from typing import Protocol


class ErasureCheck(Protocol):
    """Blanks people whom ingest erased while a page was planned. Raises StoreUnavailable."""

    async def count(self) -> int:
        """Return how many erasures ingest has counted."""

    async def blank_erased(self, name: str) -> None:
        """Blank the erased members of a page."""
