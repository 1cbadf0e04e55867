"""One list of places: what an export shows of a person, an erasure blanks, in every collection."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

from sender_service.ops.export import SECTIONS
from sender_service.store.dead_letters import DeadLetterStore
from shared.models.dead_letter import DeadLetter
from shared.mongo.collections import COLLECTIONS
from tests.contract.sender.planted import (
    PLAYER,
    SECRETS,
    SEND,
    KnownPerson,
    add_page,
    build_dead_letter,
)
from tests.support.ops_client import Ops, a_send

# What names nobody, and why. A collection that is new goes here, or into SECTIONS.
NOBODYS = {
    "projector": "its own log, count of erasures and hold",
    "installation": "the secret key's check value, and the readiness probe's last write",
    "processes": "beats of processes: roles, partitions, how far behind",
    "apps": "an app's settings",
    "campaigns": "templates",
    "campaign_versions": "templates",
    "scenarios": "rules",
    "scenario_versions": "rules",
    "wakers": "processes",
    "history_samples": "shares",
    "simulations": "sums",
    "backfills": "sums",
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


def test_every_collection_is_returned_or_names_nobody() -> None:
    names = {collection.name for collection in COLLECTIONS}
    assert names == SECTIONS.keys() | NOBODYS.keys()
    assert not SECTIONS.keys() & NOBODYS.keys()


async def kept(ops: Ops) -> dict[str, str]:
    """Collection → all that is in it, as text."""
    found = {c.name: [d async for d in ops.database[c.name].find({})] for c in COLLECTIONS}
    for dead_letter in found["dead_letters"]:
        dead_letter["value"] = DeadLetter.unpack(dead_letter["value"]).decode().replace('"', "'")
    return {name: str(documents) for name, documents in found.items()}


async def test_export_shows_each_place_and_erasure_blanks_it(ops: Ops) -> None:
    person = KnownPerson(ops)
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
    assert send["outcome"] == "pending" and list(send["interactions"]) == ["impression"]
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
    person = KnownPerson(ops)
    await person.plant()
    await person.project(person.event("identify", 0, "v-petr", login="petr", email="petr@m.test"))
    petr = person.people.of_login("shop", "petr")
    namesake = {"app": "other", "login": "petr", "x": SECRETS["dead_letters"]}
    await DeadLetterStore(ops.database).put([build_dead_letter(namesake, person.before)])
    known = await ops.ok("GET", f"/v1/people/{petr}/export")
    assert not [s for s in SECRETS.values() if s in json.dumps(known)]
    assert [dead_letter["code"] for dead_letter in known["deadLetters"]] == [
        "c"
    ]  # listed, without content


async def test_erasure_read_late_spares_who_came_back(ops: Ops) -> None:
    # The sender was away for an hour; meanwhile she came back and shops again.
    person = KnownPerson(ops)
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
    await ops.database["contacts"].update_one({}, {"$push": {"pushes": push}})
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
