"""Shop whose people are served live, by the clock of a test: projector, entries, waker, sends."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ingest_service.projector.person_ids import PersonIds
from sender_service.context import SenderContext
from sender_service.models.scenario.run import Run
from sender_service.scenarios.entries import Entries
from sender_service.scenarios.simulator import Simulator
from shared.models.event import Event
from tests.integration.sender.entry_shop import BASKET, LONG_BEFORE, EntryShop
from tests.integration.sender.shop_events import basket, purchase
from tests.integration.sender.waker_harness import Wakers, open_wakers
from tests.support.builders import build_app
from tests.support.clocks import START
from tests.support.projector_doubles import event, one_signal
from tests.support.scenarios import read_scenario

PLAYER = "11111111-2222-4333-8444-{:012d}"
MINUTE = 60


@dataclass
class SimulatedShop:
    """Shop: `shop` projects and enters, `wakers` fire. Time goes from one event to the next."""

    wakers: Wakers
    shop: EntryShop
    entries: Entries

    @property
    def context(self) -> SenderContext:
        return self.shop_context(self.wakers)

    @staticmethod
    def shop_context(wakers: Wakers) -> SenderContext:
        clock = wakers.clock
        return replace(wakers.context, clock=clock, monotonic=clock.monotonic)

    def simulator(self, name: str = "simulator") -> Simulator:
        return Simulator.of(replace(self.context, name=name))

    async def put(self, id: str, **fields: Any) -> None:
        made = replace(read_scenario({**BASKET, **fields}), id=id)
        await self.wakers.context.stores.scenarios.put(made, LONG_BEFORE)

    async def happen(self, *events: Event) -> None:
        await self.shop.project(*events)
        await self.shop.enter(entries=self.entries)

    async def live(self, events: list[Event], minutes: int) -> None:
        """Let these events happen, and the waker look whenever something is due, until a time."""
        end = START + timedelta(minutes=minutes)
        waiting = sorted(events, key=lambda one: one.occurred_at)
        runs, clock = self.wakers.runs, self.wakers.clock
        while True:
            due = min((run.due for run in await runs.due("demo", end)), default=None)
            times = [waiting[0].occurred_at if waiting else end, end if due is None else due]
            at = max(clock(), min(times))
            clock.advance((at - clock()).total_seconds())
            now = [one for one in waiting if one.occurred_at <= at]
            waiting = waiting[len(now) :]
            if now:
                await self.happen(*now)
            await self.wakers.look()
            await self.deliver()
            await self.wakers.look()  # closes what was sent
            if at >= end:
                return

    async def deliver(self) -> None:
        """Let the sends of published triggers end: who has a player got theirs."""
        stores = self.wakers.context.stores
        for id, trigger in self.wakers.triggers().items():
            if await stores.sends.get(id) is None:
                people = [one["person"] for one in trigger["recipients"]]
                profiles = await stores.people.profiles("demo", people)
                reached = [one for one in people if profiles[one]["players"]]
                await self.wakers.end_send(id, {one: ["sent"] for one in reached})

    async def live_runs(self) -> list[Run]:
        return list((await self.wakers.all_runs()).values())


def day_of(seed: int, people: int, minutes: int) -> list[Event]:
    """Return what people do in a shop at random: most subscribe, all view, some buy."""
    chance = random.Random(seed)
    found: list[Event] = []
    for n in range(people):
        name = f"visitor-{n}"
        if chance.random() < 0.8:
            found.append(one_signal(name, 0, PLAYER.format(n)))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(1, minutes) * MINUTE + n  # nobody does two things at once
            item = chance.choice(["tea", "cup", "pot"])
            kind = chance.random()
            if kind < 0.45:
                found.append(basket(name, at, *chance.sample(["tea", "cup", "pot"], 2)))
            elif kind < 0.6:
                found.append(purchase(name, at, f"o-{n}-{at}", item))
            elif kind < 0.7:
                found.append(event("pageview", name, at, basketItems=[]))
            else:
                found.append(event("pageview", name, at, itemID=item))
    return found


@asynccontextmanager
async def open_simulated_shop(mongo_uri: str, folder: Path) -> AsyncIterator[SimulatedShop]:
    async with open_wakers(mongo_uri, folder) as wakers:
        app = build_app().model_copy(update={"time_zone": "UTC"})  # with the usual night
        wakers.context.apps.take([app])
        context = SimulatedShop.shop_context(wakers)
        shop = EntryShop(context.database, context.stores, app, wakers.clock, PersonIds(b"key"))
        yield SimulatedShop(wakers, shop, Entries.of(context))
