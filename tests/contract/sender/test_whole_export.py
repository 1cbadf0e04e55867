"""One list of places: what an export shows of a person, an erasure blanks, in every collection."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from ingest_service.projector.people import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from sender_service.accounting.erasure import Erasure
from sender_service.models.page import new_chunk, summarise
from sender_service.ops.exporting import SECTIONS
from sender_service.store.erasure import ErasureStore
from sender_service.store.letters import LetterStore
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from shared.clock import utc_now
from shared.collections import COLLECTIONS
from shared.kafka import Record
from shared.models.dead_letter import DeadLetter
from shared.models.event import ERASE, STREAM, Event
from shared.settings import Settings
from shared.stage import Item
from tests.contract.sender.ops import Ops, a_send, open_ops

# What names nobody, and why. A collection that is new goes here, or into SECTIONS.
NOBODYS = {
    "projector": "its own log, count of erasures and hold",
    "apps": "an app's settings",
    "campaigns": "templates",
    "campaign_versions": "templates",
    "budgets": "counts of an app",
    "replicas": "processes",
    "reports": "sums",
    "send_reports": "sums",
    "tokens": "an operator's",
}
# What an erasure leaves, and why it may.
LEFT = {
    "interactions": "places in pages, no names",
    "audit": "who looked, by the person's keyed hash: the operator's account",
    "erased": "the tombstone: a keyed hash and a time",
}
SEND, PLAYER = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10", str(uuid.uuid4())
NOTIFICATION = str(uuid.uuid4())
SECRETS = {
    "profiles": "jana@mail.test", "visitors": "shoe-in-visitors", "players": PLAYER,
    "sends": "name-in-sends", "parts": "name-in-parts", "bodies": "text-in-bodies",
    "parked": "url-in-parked", "dead_letters": "text-in-letters", "contacts": "send-in-contacts",
}  # fmt: skip


def test_every_collection_is_shown_or_names_nobody() -> None:
    names = {collection.name for collection in COLLECTIONS}
    assert names == SECTIONS.keys() | NOBODYS.keys()
    assert not SECTIONS.keys() & NOBODYS.keys()


@pytest.fixture
async def ops(settings: Settings) -> AsyncIterator[Ops]:
    async with open_ops(settings) as opened:
        await opened.open_app()
        yield opened


class Person:
    """Somebody known to each collection, as the services themselves would write it."""

    def __init__(self, ops: Ops) -> None:
        self.ops = ops
        self.people = PersonIds(ops.parts.vault.derive("person"))
        self.id = self.people.of_login("shop", "jana")
        self.projector = Projector(MongoProjections(ops.database), self.people, utc_now, self._tell)
        self.before = ops.clock() - timedelta(hours=1)

    async def _tell(self, events: Any) -> None:
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
        told = {"playerID": player, "status": "subscribed", "state": "subscribed"}
        return self.event("oneSignal", minutes, visitor, **told)

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
            {"_id": f"{SEND}:0", "send": SEND, "app": "shop", "seen": seen, "counts": {}, "rev": 0}
        )

    async def _beside(self) -> None:
        ring = [{"send": SECRETS["contacts"], "at": self.before}]
        contact = {"_id": f"shop:{self.id}", "app": "shop", "ring": ring, "rev": 1}
        await self.ops.database["contacts"].insert_one(contact)
        parked = self.event(STREAM, 6, notificationId=NOTIFICATION, url=SECRETS["parked"])
        update = {"player_id": PLAYER, "visitor_id": None}
        await ParkedStore(self.ops.database).put([parked.model_copy(update=update)])
        value = json.dumps({"login": "jana", "x": SECRETS["dead_letters"]}).encode()
        letter = DeadLetter(
            id=str(uuid.uuid4()), stage="s", topic="carillon.events", partition=0, offset=0,
            type="t", key=DeadLetter.pack(b"k"), value=DeadLetter.pack(value), code="c",
            message="m", at=self.before,
        )  # fmt: skip
        await LetterStore(self.ops.database).put([letter])
        await self.ops.ok("GET", f"/v1/people/{self.id}")  # an audited look

    async def export(self) -> Any:
        return await self.ops.ok("GET", f"/v1/people/{self.id}/export")

    async def erase(self) -> list[Event]:
        self.ops.log.records.clear()
        await self.ops.ok("POST", f"/v1/people/{self.id}/erase")
        return [Event.parse(out.value) for out in self.ops.log.records]

    async def blank(self, events: list[Event]) -> None:
        """Both services read the events."""
        await self.project(*events)
        await self.blank_in_sender(events)

    async def blank_in_sender(self, events: list[Event]) -> None:
        async def no_sleep(_: float) -> None:
            """Time does not pass here."""

        store, pages = ErasureStore(self.ops.database), PageStore(self.ops.database)
        stage = Erasure(store, pages, self.ops.parts.vault, self.ops.clock, 90.0, no_sleep)
        record = Record("carillon.events", 0, 0, b"", b"", ERASE, 0)
        await stage.handle([Item(record, event) for event in events])


async def add_page(ops: Ops, n: int, at: Any, members: list[list[str]]) -> None:
    page: Any = {
        "_id": f"{SEND}:{n}", "send": SEND, "app": "shop", "n": n, "next": None,
        "members": members, "outcomes": {}, "chunks": {"0": new_chunk("a", at)}, "noPlayer": 0,
        "open": True, "due": at, "out": 0, "capped": False, "notifications": [], "plannedAt": at,
        "bodies": f"{SEND}:{n}:x", "rev": 0,
    }  # fmt: skip
    await ops.database["pages"].insert_one({**page, "sums": summarise(page)})
    body = {"data": {}, "contents": {"en": SECRETS["bodies"]}}
    await ops.database["bodies"].insert_one({"_id": page["bodies"], "bodies": [body]})


async def kept(ops: Ops) -> dict[str, str]:
    """Collection → all that is in it, as text."""
    found = {c.name: [d async for d in ops.database[c.name].find({})] for c in COLLECTIONS}
    for letter in found["dead_letters"]:
        letter["value"] = DeadLetter.unpack(letter["value"]).decode().replace('"', "'")
    return {name: str(documents) for name, documents in found.items()}


async def test_export_shows_each_place_and_erasure_blanks_it(ops: Ops) -> None:
    person = Person(ops)
    await person.plant()
    names = ("jana", "v-jana", PLAYER, person.id, *SECRETS.values())
    before = await kept(ops)
    known = await person.export()
    assert known.pop("complete") is True
    for collection, section in SECTIONS.items():
        assert before[collection] != "[]", f"nothing was planted in {collection}"
        assert known[section], collection
        if collection in SECRETS:
            assert SECRETS[collection] in before[collection]
            assert SECRETS[collection] in json.dumps(known[section]), collection
    (send,) = known["sends"]
    assert send["outcome"] == "pending" and list(send["seen"]) == ["impression"]
    assert [m["merged"] for m in known["merges"]] == known["profile"]["aliases"]
    await person.blank(await person.erase())
    after = await kept(ops)
    # A player's entry and a browser's tombstone stay, with nobody's name on them (docs/identity.md).
    tombs = {"players": {PLAYER}, "visitors": {PLAYER, person.id}}
    for collection in SECTIONS.keys() - LEFT.keys():
        left = {n for n in names if f"'{n}'" in after[collection]}
        left |= {s for s in SECRETS.values() if s in after[collection]}
        assert left <= tombs.get(collection, set()), collection
    (player,) = [d async for d in ops.database["players"].find({})]
    assert (player["state"], player["person"], player["previous"]) == ("erased", "", [])
    for collection in LEFT:
        assert "jana" not in after[collection] and PLAYER not in after[collection]


async def test_export_shows_nothing_of_others(ops: Ops) -> None:
    person = Person(ops)
    await person.plant()
    await person.project(person.event("identify", 0, "v-petr", login="petr", email="petr@m.test"))
    petr = person.people.of_login("shop", "petr")
    known = await ops.ok("GET", f"/v1/people/{petr}/export")
    assert not [s for s in SECRETS.values() if s in json.dumps(known)]


async def test_erasure_read_late_spares_who_came_back(ops: Ops) -> None:
    """The sender was away for an hour; meanwhile she came back and shops again."""
    person = Person(ops)
    await person.plant()
    events = await person.erase()
    await person.project(*events)
    back, player = 120, str(uuid.uuid4())  # minutes: an hour after the erasure
    await person.project(person.event("identify", back, "v-new", login="jana"))
    await person.project(person.subscribed(back + 1, "v-new", player))
    at = person.before + timedelta(minutes=back + 2)
    trigger = {"recipients": [{"login": "jana", "variables": {"x": "since-trigger"}}]}
    send = {**a_send(str(uuid.uuid4()), ops.clock, trigger=trigger), "createdAt": at}
    await ops.database["sends"].insert_one(send)
    await add_page(ops, 1, at, [[player, person.id, "0"], [PLAYER, person.id, "0"]])
    push = {"send": "since-push", "at": at}
    await ops.database["contacts"].update_one({}, {"$push": {"ring": push}})
    await person.blank_in_sender(events)
    after = await kept(ops)
    assert "since-trigger" in after["sends"] and SECRETS["sends"] not in after["sends"]
    assert "since-push" in after["contacts"] and SECRETS["contacts"] not in after["contacts"]
    old, new = [
        (await ops.database["pages"].find_one({"_id": f"{SEND}:{n}"}) or {})["members"]
        for n in (0, 1)
    ]
    assert person.id not in str(old)
    assert new[0] == [player, person.id, "0"]  # hers, and called as planned
    assert PLAYER not in str(new)  # planned while ingest still knew of the player from before
