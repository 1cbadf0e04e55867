"""Shop from its events to the push: projector, entries, waker and sends, each when a test says so.

Between any two of them something may happen.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ingest_service.projector.person_ids import PersonIds
from sender_service.intake.request import parse_request
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run
from sender_service.privacy.stage import Erasure
from sender_service.scenarios.entries import Entries
from sender_service.scenarios.waker import Waker
from sender_service.store.wakers import WakerStore
from shared.kafka.topics import TRIGGERS_TOPIC
from shared.models.event import Event
from tests.integration.sender.dying_stores import InterruptedStore
from tests.integration.sender.entry_shop import EntryShop
from tests.integration.sender.pipeline import IDLE, Pipeline, open_line
from tests.integration.sender.shop_events import basket, login, purchase
from tests.integration.sender.waker_harness import GivenKnowledge, StillComponent
from tests.support.clocks import START
from tests.support.ops_events import erasure
from tests.support.projector_doubles import item, one_signal

HOUR = 3_600
STEP = {"id": "hour", "campaign": "welcome", "after": {"minutes": 60}}
NEXT = {"id": "day", "campaign": "welcome", "after": {"minutes": 1440}}
# What happens to a step, in order; the middle ones are the waker's writes.
WRITES = ("raise_n", "insert", "claim", "set_claimed", "publish", "set_handed")
STAGES = ("entry", "look", *WRITES, "intake", "planning", "release")
Act = Callable[[str], Awaitable[None]]


async def nothing(stage: str) -> None:
    """Let nothing happen."""


@dataclass
class WholeShop:
    """People are named by their browsers. `read`: what happens is read by the entries at once."""

    line: Pipeline
    shop: EntryShop
    reads_moments: bool = True
    players: dict[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> Entries:
        return replace(Entries.of(self.line.context), sleep=self.shop._sleep)

    @property
    def seconds(self) -> int:
        """Return how long the shop is open: an event of this number is of now."""
        return int((self.shop.clock() - START).total_seconds())

    async def campaign(self, **fields: Any) -> None:
        texts = {"id": "a", "contents": {"en": "Come back"}, "headings": {"en": "Hello"},
                 "url": "https://shop.example/"}  # fmt: skip
        body = {"name": "Welcome", "variants": [texts], "policy": {"quietHours": False}}
        await self.line.ops("PUT", "/v1/apps/demo/campaigns/welcome", json=body | fields)

    async def put(self, **fields: Any) -> None:
        """Put the scenario, now."""
        await self.shop.put(**{"since": self.shop.clock(), "steps": [STEP, NEXT], **fields})

    async def happen(self, *events: Event) -> None:
        """Project a batch, and let the entries read its moments if they read."""
        await self.shop.project(*events)
        if self.reads_moments:
            await self.shop.enter(entries=self.entries)

    async def subscribe(self, *browsers: str) -> None:
        players = {browser: str(uuid.uuid4()) for browser in browsers}
        self.players |= players
        await self.line.remote.browsers(None, ids=[*players.values()], odds=IDLE)
        at = self.seconds
        await self.shop.project(*(one_signal(one, at, id) for one, id in players.items()))

    async def fill_baskets(self, *browsers: str, who: str | None = None) -> None:
        """Let each browser subscribe, log in as `who` and fill its basket; nothing is read yet."""
        await self.subscribe(*browsers)
        at = self.seconds + 1
        await self.shop.project(*(login(one, at, who or f"eva-of-{one}") for one in browsers))
        at = self.seconds + 1
        await self.shop.project(*(basket(one, at) for one in browsers))

    async def buy(self, browser: str) -> None:
        await self.happen(purchase(browser, self.seconds + 1, f"o-{browser}"))

    async def log_in(self, browser: str, who: str) -> None:
        await self.happen(login(browser, self.seconds + 1, who))

    async def erase(self, person: str, browser: str) -> None:
        """Erase as both services do it."""
        event = erasure(browser, self.seconds + 1, person, self.players[browser])
        await self.happen(event)
        stage = replace(Erasure.of(self.line.context), sleep=self.shop._sleep)
        await stage.handle([cast(Any, item(event))])

    async def look(self, act: Act = nothing, name: str = "waker") -> None:
        """Let a waker look at what is due; `act` comes before each of its writes."""
        stores, context = self.line.context.stores, self.line.context
        firings = InterruptedStore(stores.firings, WRITES, act)
        runs = InterruptedStore(stores.runs, ["claim"], act)
        wakers = InterruptedStore(WakerStore(context.database), ["raise_n"], act)
        own = replace(
            context,
            name=name,
            stores=cast(Any, replace)(stores, firings=firings, runs=runs, wakers=wakers),
            writer=cast(Any, InterruptedStore(self.line.log, ["publish"], act)),
        )
        waker = Waker.of(own, GivenKnowledge())
        await waker.look(cast(Any, StillComponent()))
        await waker.leases.give_up()

    async def take_in(self) -> None:
        """Hand the published triggers to intake."""
        values = self.line.log.take(TRIGGERS_TOPIC.name)
        codes = await self.line.intake.accept([parse_request(value) for value in values])
        assert not any(codes), codes

    async def serve(self, act: Act = nothing) -> None:
        """Let the hour pass, and each stage do its part; `act` comes before each."""
        await act("entry")
        await self.shop.enter(entries=self.entries)
        self.shop.clock.advance(HOUR)
        await act("look")
        await self.look(act)
        await act("intake")
        await self.take_in()
        await act("planning")
        await self.line.plan()
        await act("release")
        await self.line.work()
        await self.shop.enter(entries=self.entries)
        await self.look()  # closes the firing

    async def reached(self) -> list[str]:
        """Return the browsers that got a push, once for each."""
        browsers = {player: browser for browser, player in self.players.items()}
        return sorted(browsers[player] for player in await self.line.reached())

    async def run_of(self, person: str) -> Run:
        """Return the person's only run."""
        (run,) = await self.line.context.stores.runs.of_person("demo", person)
        return run

    async def firings(self) -> list[Firing]:
        found = self.line.context.database["firings"].find({}, {"_id": 1})
        firings = [await self.line.context.stores.firings.get(one["_id"]) async for one in found]
        return [firing for firing in firings if firing is not None]


@asynccontextmanager
async def open_whole_shop(mongo_uri: str, folder: Path) -> AsyncIterator[WholeShop]:
    """Open a shop whose scenario `basket` pushes the campaign `welcome` after an hour."""
    async with open_line(mongo_uri, folder) as line:
        people, app = PersonIds(b"key"), line.apps.get("demo")
        assert app is not None
        opened = EntryShop(
            line.context.database, line.context.stores, app, line.world.clock, people
        )
        shop = WholeShop(line, opened)
        await shop.campaign()
        await opened.put(steps=[STEP, NEXT])
        yield shop
