"""World: what decisions read of the catalogue, as it was read before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CATALOGUE_STALE_AFTER = timedelta(hours=26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Product of the catalogue; `texts` has the further variables of a text."""

    id: str
    price: float | None
    currency: str | None
    in_stock: bool
    group: str | None = None
    categories: tuple[str, ...] = ()
    texts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Products and tables of an app. Without a catalogue nothing is unknown, sold out or stale.

    `tables`: item ids, best first, by the source that chooses from them. `seen_at`: the last accepted run.
    """

    products: Mapping[str, Product] | None = None
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seen_at: datetime | None = None
    stale_after: timedelta = CATALOGUE_STALE_AFTER

    def is_stale(self, now: datetime) -> bool:
        if self.products is None:
            return False
        return self.seen_at is None or now - self.seen_at > self.stale_after


EMPTY_WORLD = World()
