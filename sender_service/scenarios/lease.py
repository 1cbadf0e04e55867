"""Leases of apps: whoever has one wakes the app's runs, one process at a time.

Others take the app once its beat stands still. Its holder writes only shortly after a renewal, by its
own monotonic clock: a process that was frozen notices before it writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sender_service.store.wakers import BEAT_SECONDS, WakerStore
from shared.clock import Monotonic

RENEW_AFTER_SECONDS = 2.0
WRITE_WITHIN_SECONDS = 5.0  # of the last renewal


class LeaseLost(Exception):
    """Another process has the app, or may have it by now."""


@dataclass(slots=True)
class AppLease:
    """Lease of one app that this process has. `is_new`: another may have had it in between.

    `n` numbers the app's firings. `renewed`: before the write that took or renewed the lease.
    """

    app: str
    holder: str
    is_new: bool
    n: int
    renewed: float
    store: WakerStore
    monotonic: Monotonic

    async def keep(self) -> None:
        """Renew the lease unless it was renewed just now. Raises LeaseLost, StoreUnavailable."""
        began = self.monotonic()
        if began - self.renewed <= RENEW_AFTER_SECONDS:
            return
        if not await self.store.renew(self.app, self.holder):
            raise LeaseLost
        self._note_renewal(began)

    async def raise_n(self) -> int:
        """Raise the number of the app's firings; return it. Raises LeaseLost, StoreUnavailable."""
        await self.keep()
        began = self.monotonic()
        if not await self.store.raise_n(self.app, self.holder, self.n):
            raise LeaseLost
        self._note_renewal(began)
        self.n += 1
        return self.n

    def _note_renewal(self, began: float) -> None:
        if self.monotonic() - began > WRITE_WITHIN_SECONDS:
            raise LeaseLost  # it came too late to be sure of
        self.renewed = began


@dataclass(slots=True)
class Leases:
    """Leases that this process may take. `holder` is its name, which no other process has."""

    store: WakerStore
    holder: str
    monotonic: Monotonic
    _renewed: dict[str, float] = field(default_factory=dict, init=False)

    async def take(self, app: str) -> AppLease | None:
        """Take or renew the lease; None while another process has it. Raises StoreUnavailable."""
        began = self.monotonic()
        n = await self.store.take(app, self.holder, began)
        if n is None or self.monotonic() - began > WRITE_WITHIN_SECONDS:
            return None
        before = self._renewed.get(app)
        is_new = before is None or began - before >= BEAT_SECONDS
        self._renewed[app] = began
        return AppLease(app, self.holder, is_new, n, began, self.store, self.monotonic)

    async def give_up(self) -> None:
        """End all leases of this process, which stops. Raises StoreUnavailable."""
        await self.store.give_up(self.holder)
