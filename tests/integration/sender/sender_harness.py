"""People, campaigns and sends in a real database, and the sender's own stages on them, no Kafka."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sender_service.accounting.reporting import Reporting
from sender_service.accounting.stage import Accounting, Fact
from sender_service.accounting.streams import StreamMatcher
from sender_service.models.campaign import Campaign
from sender_service.models.policy import AppPolicy
from sender_service.models.push_tag import TagSigner
from sender_service.models.send import NEVER
from sender_service.models.sums import Sums
from sender_service.models.trigger import Trigger
from sender_service.planner.audience import AudienceReader
from sender_service.planner.planner import Planner
from sender_service.planner.target import Candidate, Cursor, Target
from sender_service.planner.tools import PlannerTools
from sender_service.privacy.new_page_blanker import NewPageBlanker
from sender_service.providers.onesignal.limits import MAX_TARGETS
from sender_service.store.stores import Stores
from shared.kafka.records import Record
from shared.loops import Wakeup
from shared.models.delivery import Delivery
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST, SENDER
from shared.priority import RELEASE_ORDER
from shared.providers import DEFAULT_PROVIDER
from shared.settings import PlanSettings, Settings
from shared.stage.runner import Item
from tests.support.builders import campaign as build_campaign
from tests.support.clocks import ManualClock
from tests.support.documents import build_player, build_profile
from tests.support.sends import build_send

APP = "demo"


class SenderHarness:
    """Steps of the sender's tests, a method each."""

    def __init__(self, database: Database, plan: PlanSettings) -> None:
        self.database = database
        self.clock = ManualClock()
        self.tagger = TagSigner(b"k" * 32)
        self.stores = stores = Stores.open(database)
        self.sends, self.pages = stores.sends, stores.pages
        self.people, self.contacts = stores.people, stores.contacts
        self.interactions, self.campaigns = stores.interactions, stores.campaigns
        self.parts = stores.parts
        self.plan = plan
        self.accounting = Accounting(
            stores, StreamMatcher.of(stores, self.tagger), self.tagger, self.clock,
            plan.answer_timeout, Wakeup(),
        )  # fmt: skip

    def planner(self, name: str = "planner", **tools: Any) -> Planner:
        people = tools.get("people", self.people)
        made = PlannerTools(
            self.sends, self.pages,
            AudienceReader(people, self.parts), self.campaigns, self.contacts,
            NewPageBlanker(self.stores.erasures, self.pages, people, self.clock),
            self.plan, self.clock,
            tools.get("chunk_members", lambda app: {DEFAULT_PROVIDER: MAX_TARGETS}),
            lambda: None, tools.get("policy", lambda app: AppPolicy()), tools.get("unknown_names"),
            tools.get("looks"), tools.get("entries"),
        )  # fmt: skip
        return Planner(name, RELEASE_ORDER, made)

    async def person(self, name: str, players: Sequence[str] = (), **fields: Any) -> list[str]:
        """Store a person; return the players' ids, a new one unless they are given."""
        ids = list(players) or [str(uuid.uuid4())]
        seen = self.clock()
        known = {"login": name, "visitors": [f"v-{name}"], "lastSeenAt": seen}
        profile = build_profile(name, APP, players=[{"id": i} for i in ids], **known | fields)
        await self.database["profiles"].replace_one({"_id": name}, dict(profile), upsert=True)
        for player in ids:
            await self.own(player, name)
        return ids

    async def own(self, player: str, person: str, *previous: str) -> None:
        """Store a player of this owner in the ledger."""
        now = self.clock()
        former = [{"person": p, "until": now} for p in previous]
        entry = build_player(player, person, APP, lastSeenAt=now, previous=former)
        await self.database["players"].replace_one({"_id": player}, dict(entry), upsert=True)

    async def campaign(self, **policy: Any) -> Campaign:
        found = build_campaign(**policy)
        await self.campaigns.put(found)
        return found

    async def trigger(self, priority: str = "marketing", **targets: Any) -> str:
        """Store a send that is due for planning; return its id."""
        now = self.clock()
        head = {"id": str(uuid.uuid4()), "app": APP, "campaign": "welcome", "priority": priority}
        trigger = Trigger.model_validate({**head, **(targets or {"audience": {"all": True}})})
        send = build_send(
            trigger.id, now, app=APP, priority=priority, trigger=trigger.document(),
            state="planning", plan_due=now, expire_at=NEVER,
        )  # fmt: skip
        await self.sends.insert([send])
        return trigger.id

    async def planned(self, priority: str = "marketing", **targets: Any) -> str:
        send = await self.trigger(priority, **targets)
        assert await self.planner().plan_one()
        return send

    async def reported(self, *facts: Fact) -> None:
        """Apply these deliveries and interactions in one batch of accounting."""
        record = Record("t", 0, 0, b"", b"", "", 0)
        assert await self.accounting._handle([Item(record, fact) for fact in facts]) == []

    async def delivered(self, send: str, *, page: int = 0, chunk: str = "0", **fields: Any) -> None:
        place = {"app": APP, "send": send, "page": page, "chunk": chunk, "at": self.clock()}
        outcome = {"outcome": "sent", "notification_id": f"note-{send}-{page}-{chunk}"}
        await self.reported(Delivery.model_validate({**place, **outcome, **fields}))

    async def rolled_up(self, send: str) -> None:
        """Roll the send up into its campaign's report."""
        document = await self.sends.get(send)
        assert document is not None
        await Reporting.of(self.stores, self.clock).roll_up(document)

    async def sums(self, send: str) -> Sums:
        return (await self.pages.sums(send))[0]


async def candidates(
    reader: AudienceReader, target: Target, after: Cursor = None
) -> list[Candidate]:
    """Return all candidates behind the cursor."""
    return [c async for batch in reader.batches(target, after) for c in batch.candidates]


@asynccontextmanager
async def open_world(settings: Settings, **plan: Any) -> AsyncIterator[SenderHarness]:
    async with open_database(settings.mongo, "test") as database:
        for service in (INGEST, SENDER):
            await ensure_indexes(database, service)
        yield SenderHarness(database, PlanSettings(**plan))
