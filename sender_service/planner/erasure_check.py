"""Interface of the check for erasures that happen while a page is planned."""

from __future__ import annotations

from typing import Protocol


class ErasureCheck(Protocol):
    """Check for people erased during planning: NewPageBlanker is it. Raises StoreUnavailable."""

    async def count(self) -> int:
        """Return how many erasures ingest has counted."""

    async def blank_erased(self, name: str) -> None:
        """Blank the erased members of a page."""
