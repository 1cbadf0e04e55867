"""Merged people by each of their ids: why, export and erasure, before and after an undone merge."""

from __future__ import annotations

import json
import uuid
from typing import Any

from shared.models.dead_letter import DeadLetter
from shared.mongo.collections import CONTACTS
from tests.contract.sender.dead_letters import save_dead_letter
from tests.contract.sender.planted import PLAYER, SEND, KnownPerson, add_page
from tests.support.ops_client import OTHER, Ops, a_send

LATER = str(uuid.uuid4())


class MergedPerson(KnownPerson):
    """Person with pushes from before the login, and an order that a server reported."""

    def __init__(self, ops: Ops) -> None:
        super().__init__(ops)
        self.anonymous = self.people.of_visitor("shop", "v-jana", "0")
        self.by_login = self.people.visitor_of_login("shop", "jana")

    async def plant(self) -> None:
        """Plan a push for the anonymous person, then log in, report an order, and plan another one."""
        database, at = self.ops.database, self.ops.clock()
        await self.project(self.event("pageview", 1, itemID="shoe"), self.subscribed(2))
        trigger = {"recipients": [{"person": self.anonymous, "variables": {"x": "secret-before"}}]}
        await database["sends"].insert_one(a_send(SEND, self.ops.clock, trigger=trigger))
        await add_page(self.ops, 0, at, [[PLAYER, self.anonymous, "0"]])
        pushes = [{"send": SEND, "at": at}]
        contact = {"_id": f"shop:{self.anonymous}", "app": "shop", "pushes": pushes, "rev": 1}
        await database[CONTACTS.name].insert_one(contact)
        await self.log_in()
        order = self.event("purchase", 4, self.by_login, id="order-by-login", items=[])
        await self.project(order.model_copy(update={"source": "server", "login": "jana"}))
        await self._add_later_send()

    async def log_in(self) -> None:
        await self.project(self.event("identify", 3, login="jana"))

    async def _add_later_send(self) -> None:
        self.ops.clock.advance(60)
        named = {"audience": {"visitors": [self.by_login]}}
        send = a_send(LATER, self.ops.clock, trigger=named, campaign="later")
        await self.ops.database["sends"].insert_one(send)
        page: Any = await self.ops.database["pages"].find_one({"_id": f"{SEND}:0"})
        page |= {
            "_id": f"{LATER}:0",
            "send": LATER,
            "members": [[PLAYER, self.id, "0"], ["q", OTHER, "0"]],
        }
        await self.ops.database["pages"].insert_one(page)

    async def why(self, person: str) -> list[str]:
        answer = await self.ops.ok("GET", f"/v1/people/{person}/why")
        return [item["campaign"] for item in answer["items"]]


async def test_why_knows_pushes_from_before_the_login_by_each_id(ops: Ops) -> None:
    person = MergedPerson(ops)
    await person.plant()
    for name in (person.id, person.anonymous):
        assert await person.why(name) == ["later", "hello"]
        found = await ops.ok("GET", f"/v1/people/{name}")
        assert (found["id"], found["aliases"]) == (person.id, [person.anonymous])
        assert found["visitors"] == sorted(["v-jana", person.by_login])


async def test_export_and_erasure_are_of_all_that_was_merged(ops: Ops) -> None:
    person = MergedPerson(ops)
    await person.plant()
    known = await ops.ok("GET", f"/v1/people/{person.anonymous}/export")
    assert {one["id"] for one in known["browsers"]} == {"v-jana", person.by_login}
    assert [merge["merged"] for merge in known["merges"]] == [person.anonymous]
    assert known["caps"] == [
        {"pushes": [{"send": SEND, "at": known["caps"][0]["pushes"][0]["at"]}]}
    ]
    text = json.dumps(known)
    assert all(name in text for name in ("secret-before", "order-by-login", person.by_login))
    assert {one["send"] for one in known["sends"]} == {SEND, LATER}
    events = await person.erase()
    assert {event.visitor_id for event in events} >= {"v-jana", person.by_login, f"os:{PLAYER}"}
    await person.blank(events)
    names = ("sends", "pages", "bodies", "contacts", "profiles", "merges")
    left = str([[d async for d in ops.database[name].find({})] for name in names])
    gone = (
        "jana",
        person.id,
        person.anonymous,
        person.by_login,
        PLAYER,
        "secret-before",
        "order-by",
    )
    assert not [name for name in gone if name in left]
    assert OTHER in left


async def test_after_an_undone_merge_each_has_their_own(ops: Ops) -> None:
    person = MergedPerson(ops)
    await person.plant()
    undo = {"merge": person.anonymous}
    ops.log.records.clear()
    await ops.ok("POST", f"/v1/people/{person.id}/merges/undo", json=undo)
    await person.project(*person.published())
    assert await person.why(person.id) == ["later"]
    assert await person.why(person.anonymous) == ["hello"]
    known = await ops.ok("GET", f"/v1/people/{person.id}/export")
    assert known["caps"] == [] and "secret-before" not in json.dumps(known)
    await person.blank(await person.erase())
    assert await person.why(person.anonymous) == ["hello"]
    left = str([d async for d in ops.database["sends"].find({})])
    assert person.anonymous in left and person.by_login not in left


async def test_dead_letter_of_an_event_by_login_is_replayed_and_erased(ops: Ops) -> None:
    person = MergedPerson(ops)
    await person.plant()
    order = person.event("purchase", 5, person.by_login, id="order-of-dead-letter", items=[])
    order = order.model_copy(update={"source": "server", "login": "jana"})
    key = DeadLetter.pack(order.key.encode())
    dead_letter = await save_dead_letter(
        ops, order.dump(), ago=1_800, topic="carillon.events", type=order.type, key=key
    )
    listed = str(await ops.ok("GET", "/v1/dead-letters"))
    assert "jana" not in listed and person.by_login not in listed
    known = await ops.ok("GET", f"/v1/people/{person.anonymous}/export")
    assert [one["value"]["login"] for one in known["deadLetters"]] == ["jana"]
    ops.log.records.clear()
    await ops.ok("POST", f"/v1/dead-letters/{dead_letter.id}/replay")
    (record,) = ops.log.records
    assert record.key == person.by_login.encode()  # so it keeps its place among those of the login
    await person.project(*person.published())
    profile = (await person.export())["profile"]
    orders = {"order-by-login", "order-of-dead-letter"}
    assert {one["id"] for one in profile["purchases"]} == orders
    await person.blank(await person.erase())
    kept = await ops.ok("GET", f"/v1/dead-letters/{dead_letter.id}")
    assert "jana" not in str(kept) and person.by_login not in str(kept)
