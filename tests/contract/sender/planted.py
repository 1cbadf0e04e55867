"""A person who is known to every collection of both services."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from sender_service.models.scenario.firing import Firing, Member
from sender_service.models.scenario.run import Entry
from sender_service.privacy.stage import Erasure
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.firings import FiringStore
from sender_service.store.histories import HistoryStore
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.runs import RunStore
from shared.clock import utc_now
from shared.events.registry import ERASE, STREAM
from shared.kafka.records import Record
from shared.models.dead_letter import DeadLetter
from shared.models.event import Event
from shared.models.facts import Viewed
from shared.models.person_moment import PersonMoment
from shared.stage.runner import Item
from tests.support.ops_client import Ops, a_send
from tests.support.pages import build_page_document
from tests.unit.sender.scenario_builders import run_of

SEND, PLAYER = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10", str(uuid.uuid4())
NOTIFICATION = str(uuid.uuid4())
SECRETS = {
    "profiles": "jana@mail.test", "visitors": "shoe-in-visitors", "players": PLAYER,
    "sends": "name-in-sends", "parts": "name-in-parts", "bodies": "text-in-bodies",
    "parked": "url-in-parked", "dead_letters": "text-in-letters", "contacts": "send-in-contacts",
    "runs": "item-in-runs", "histories": "item-in-histories",
}  # fmt: skip


class KnownPerson:
    """A person known to each collection, as the services themselves would write it."""

    def __init__(self, ops: Ops) -> None:
        self.ops = ops
        self.people = PersonIds(ops.context.vault.derive("person"))
        self.id = self.people.of_login("shop", "jana")
        self.projector = Projector(
            MongoProjections(ops.database), self.people, utc_now, self._publish
        )
        self.before = ops.clock() - timedelta(hours=1)

    async def _publish(self, events: Any) -> None:
        await self.project(*events)

    async def project(self, *events: Event) -> None:
        record = Record("carillon.events", 0, 0, b"", b"", "", 0)
        await self.projector.handle([Item(record, event) for event in events])

    def event(self, kind: str, minutes: int = 0, visitor: str = "v-jana", **data: Any) -> Event:
        at = self.before + timedelta(minutes=minutes)
        return Event(
            app="shop", id=str(uuid.uuid4()), type=kind, source="browser", visitor_id=visitor,
            occurred_at=at, received_at=at, data=data,
        )  # fmt: skip

    def subscribed(self, minutes: int, visitor: str = "v-jana", player: str = PLAYER) -> Event:
        fields = {"playerID": player, "status": "subscribed", "state": "subscribed"}
        return self.event("oneSignal", minutes, visitor, **fields)

    async def plant(self) -> None:
        await self._in_ingest()
        await self._in_sends()
        await self._beside()

    async def _in_ingest(self) -> None:
        await self.project(self.event("identify", 0, login="jana"))
        erasure = self.event(ERASE, 1, person=self.id, players=[])  # she came back since
        await self.project(erasure.model_copy(update={"source": "ops"}))
        await self.project(
            self.event("pageview", 2, itemID=SECRETS["visitors"]),
            self.event("identify", 3, login="jana", email=SECRETS["profiles"]),
            self.subscribed(4),
        )

    async def _in_sends(self) -> None:
        database, at = self.ops.database, self.before + timedelta(minutes=5)
        trigger = {"recipients": [{"login": "jana", "variables": {"x": SECRETS["sends"]}}]}
        send = {**a_send(SEND, self.ops.clock, trigger=trigger), "createdAt": at}
        await database["sends"].insert_one(send)
        part = [{"visitor": "v-jana", "variables": {"x": SECRETS["parts"]}}]
        await database["parts"].insert_one({"_id": "part", "send": SEND, "recipients": part})
        await add_page(self.ops, 0, at, [[PLAYER, self.id, "0"]])
        seen = {"impression": {"0": at}, "click": {}, "close": {}}
        await database["interactions"].insert_one(
            {"_id": f"{SEND}:0", "send": SEND, "app": "shop", "times": seen, "counts": {}, "rev": 0}
        )

    async def _beside(self) -> None:
        pushes = [{"send": SECRETS["contacts"], "at": self.before}]
        contact = {"_id": f"shop:{self.id}", "app": "shop", "pushes": pushes, "rev": 1}
        await self.ops.database["contacts"].insert_one(contact)
        await self._in_scenarios()
        parked = self.event(STREAM, 6, notificationId=NOTIFICATION, url=SECRETS["parked"])
        update = {"player_id": PLAYER, "visitor_id": None}
        await ParkedStore(self.ops.database).put([parked.model_copy(update=update)])
        fields = {"login": "jana", "x": SECRETS["dead_letters"]}
        await DeadLetterStore(self.ops.database).put([build_dead_letter(fields, self.before)])
        await self.ops.ok("GET", f"/v1/people/{self.id}")  # an audited look

    async def _in_scenarios(self) -> None:
        entry = Entry(at=self.before, event="e", items=(SECRETS["runs"],))
        run = replace(run_of(entry=entry), app="shop", person=self.id)
        await RunStore(self.ops.database).insert([run])
        members = (Member(run="other", person="other"), Member(run=run.id, person=self.id))
        firing = Firing(
            id=str(uuid.uuid4()), app="shop", scenario="basket", version=1, step="hour",
            campaign="hour", made_at=self.before, due_at=self.before, expires_at=self.before,
            expire_at=self.before, members=members,
        )  # fmt: skip
        await FiringStore(self.ops.database).insert(firing)

        viewed = Viewed("e", self.before, SECRETS["histories"])
        moment = PersonMoment(app="shop", person=self.id, seen_at=self.before, facts=[viewed])
        await HistoryStore(self.ops.database).add("shop", [moment], self.before)

    async def export(self) -> Any:
        return await self.ops.ok("GET", f"/v1/people/{self.id}/export")

    async def erase(self) -> list[Event]:
        self.ops.log.records.clear()
        await self.ops.ok("POST", f"/v1/people/{self.id}/erase")
        return self.published()

    def published(self) -> list[Event]:
        return [Event.parse(out.value) for out in self.ops.log.records]

    async def blank(self, events: list[Event]) -> None:
        """Both services read the events."""
        await self.project(*events)
        await self.blank_in_sender(events)

    async def blank_in_sender(self, events: list[Event]) -> None:
        async def no_sleep(_: float) -> None:
            """Time does not pass here."""

        store, pages = ErasureStore(self.ops.database), PageStore(self.ops.database)
        stage = Erasure(
            store, pages, self.ops.context.vault, self.ops.clock, timedelta(seconds=90), no_sleep
        )
        record = Record("carillon.events", 0, 0, b"", b"", ERASE, 0)
        await stage.handle([Item(record, event) for event in events])


async def add_page(ops: Ops, n: int, at: Any, members: list[list[str]]) -> None:
    page: Any = build_page_document(
        SEND, members, {"0": {}}, at=at, app="shop", number=n, bodiesId=f"{SEND}:{n}:x"
    )
    await ops.database["pages"].insert_one(page)
    body = {"data": {}, "contents": {"en": SECRETS["bodies"]}}
    await ops.database["bodies"].insert_one({"_id": page["bodiesId"], "bodies": [body]})


def build_dead_letter(content: dict[str, Any], at: datetime) -> DeadLetter:
    return DeadLetter(
        id=str(uuid.uuid4()), stage="s", topic="carillon.events", partition=0, offset=0, type="t",
        key=DeadLetter.pack(b"k"), value=DeadLetter.pack(json.dumps(content).encode()), code="c",
        message="m", at=at,
    )  # fmt: skip
