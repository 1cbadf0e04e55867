"""Waker in a process of its own, which kills itself with SIGKILL after one of its writes.

`python -m tests.integration.sender.killed_waker WRITE APP`, under the environment of a sender.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, replace
from typing import Any, cast

from sender_service.context import SenderContext
from sender_service.opening import open_context
from sender_service.scenarios.waker import Waker
from sender_service.store.wakers import WakerStore
from shared.settings import Settings
from tests.integration.sender.dying_stores import DyingStore, Fuse
from tests.integration.sender.waker_harness import GivenKnowledge, StillComponent
from tests.support.builders import build_app


@dataclass
class KillingFuse(Fuse):
    def burn(self, name: str) -> None:
        if name == self.named:
            os.kill(os.getpid(), signal.SIGKILL)


def waker_of(context: SenderContext, write: str) -> Waker:
    """Return a waker on stores whose process is killed after the write of this name."""
    stores, fuse, writes = context.stores, KillingFuse(1, write), [write]
    own = cast(Any, replace)(
        stores,
        wakers=DyingStore(WakerStore(context.database), fuse, writes),
        runs=DyingStore(stores.runs, fuse, writes),
        # The runs have an `insert` too, which a waker without joins doesn't come to.
        firings=DyingStore(stores.firings, fuse, writes),
    )
    writer = cast(Any, DyingStore(context.writer, fuse, writes))
    return Waker.of(replace(context, stores=own, writer=writer), GivenKnowledge())


async def main(write: str, app: str) -> None:
    async with open_context(Settings()) as context:
        context.apps.take([build_app(app)])
        waker = waker_of(context, write)
        while True:
            await waker.look(cast(Any, StillComponent()))
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
