"""Recipients by the person's id, also of a person that was merged into another one."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sender_service.intake.request import parse_request
from sender_service.store.people import PeopleReader
from shared.mongo.client import Database
from shared.mongo.collections import MERGES
from tests.integration.sender.intake_harness import IntakeHarness, a_trigger
from tests.integration.sender.two_replicas import APP, CAMPAIGN, TwoReplicas
from tests.support.clocks import START
from tests.support.documents import build_merge, build_profile, store_people

ANN, ALIAS, UNDONE, BOB, STRANGER = (digit * 32 for digit in "abcde")


async def _store(database: Database, app: str, other: str) -> str:
    """Store ann, whom an alias joined and another left, and the other app's bob; return her player."""
    player = str(uuid.uuid4())
    ann = build_profile(ANN, app, players=[{"id": player}], login="ann", visitors=["v-ann"])
    bob = build_profile(BOB, other, players=[{"id": str(uuid.uuid4())}])
    await store_people(database, ann, bob)
    undone = build_merge(UNDONE, ANN, START, app)
    undone["undone"] = {"at": START, "event": "undo"}
    merges = [
        build_merge(ALIAS, ANN, START, app),
        undone,
        build_merge("f" * 32, BOB, START, other),
    ]
    await database[MERGES.name].insert_many([dict(merge) for merge in merges])
    return player


async def _planned(harness: IntakeHarness, send: str) -> tuple[list[list[str]], int]:
    """Plan; return the send's players with their persons, and the count of people without any."""
    await harness.plan()
    pages = await harness.pages(send)
    members = [member[:2] for page in pages for member in page.members]
    return members, sum(page.document["noPlayer"] for page in pages)


def _by_person(*persons: str) -> list[dict[str, Any]]:
    return [{"person": person} for person in persons]


@pytest.mark.parametrize("way", ["http", "lines", "kafka"])
async def test_person_is_reached_once_by_each_of_her_ids(harness: IntakeHarness, way: str) -> None:
    player = await _store(harness.database, "demo", "other")
    names = _by_person(ALIAS, ANN, STRANGER, UNDONE, BOB, "f" * 32)
    trigger = a_trigger()
    if way == "lines":
        answer = await harness.upload(trigger, [orjson.dumps(name) for name in names])
        assert answer.is_success, answer.text
    elif way == "kafka":
        assert await harness.publish_triggers({**trigger, "recipients": names}) == [None]
    else:
        answer = await harness.http.post("/v1/sends", json={**trigger, "recipients": names})
        assert answer.is_success, answer.text
    assert await _planned(harness, trigger["id"]) == ([[player, ANN]], 4)


async def test_fast_path_knows_persons(pair: TwoReplicas) -> None:
    player = await _store(pair.database, APP, "other")
    send = str(uuid.uuid4())
    head = {"id": send, "app": APP, "campaign": CAMPAIGN, "priority": "transactional"}
    names = _by_person(ALIAS, ANN, BOB)
    request = parse_request(orjson.dumps({**head, "recipients": names}))
    assert await replace(pair.one, unknown_names=None).intake().accept([request]) == [None]
    (job,) = await pair.jobs(send)
    assert job.players == [player]


async def test_parts_name_persons(harness: IntakeHarness) -> None:
    player = await _store(harness.database, "demo", "other")
    trigger = a_trigger(parts=2)
    await harness.publish_triggers(
        {**trigger, "part": 2, "recipients": _by_person(STRANGER)},
        {**trigger, "part": 1, "recipients": _by_person(ALIAS)},
    )
    assert await _planned(harness, trigger["id"]) == ([[player, ANN]], 1)


async def test_preview_counts_persons(harness: IntakeHarness) -> None:
    await _store(harness.database, "demo", "other")
    trigger = a_trigger(recipients=_by_person(ALIAS, ANN, STRANGER))
    answer = await harness.http.post("/v1/sends/preview", json=trigger)
    found = answer.json()
    assert (found["audience"], found["people"]["no_player"]) == (1, 1)


async def test_malformed_person_is_named_and_left_out(harness: IntakeHarness) -> None:
    await _store(harness.database, "demo", "other")
    names = [*_by_person(ANN), {"person": "A" * 32}, {"person": "ann"}, {"person": []}]
    trigger = a_trigger(recipients=names)
    answer = await harness.http.post("/v1/sends", json=trigger)
    malformed = answer.json()["malformed"]
    assert [(name["index"], name["code"]) for name in malformed] == [
        (1, "person_id"), (2, "person_id"), (3, "id_type"),
    ]  # fmt: skip
    assert "person search" in malformed[0]["message"]
    refused = await harness.http.post("/v1/sends", json=a_trigger(recipients=names[1:]))
    assert refused.json()["state"] == "refused"
    assert refused.json()["error"].startswith("no_recipients: recipients: none of 3 names")


async def test_names_of_a_person_meet_whatever_their_kind(harness: IntakeHarness) -> None:
    # The alias that the profile lists is one of her names: her first one's variables count.
    player = await _store(harness.database, "demo", "other")
    listed = {"$set": {"aliases": [ALIAS]}}
    await harness.database["profiles"].update_one({"_id": ANN}, listed)
    names = [{"person": ALIAS}, {"login": "ann"}, {"person": ANN}, {"player": player}]
    trigger = a_trigger(recipients=names)
    await harness.http.post("/v1/sends", json=trigger)
    assert await _planned(harness, trigger["id"]) == ([[player, ANN]], 0)


async def test_persons_between_two_writes_of_a_merge_are_found(harness: IntakeHarness) -> None:
    # The survivor's profile comes first; a merge without a profile yet is nobody.
    await _store(harness.database, "demo", "other")
    people = PeopleReader(harness.database)
    lone = build_merge(STRANGER, "0" * 32, START)
    await harness.database[MERGES.name].insert_one(dict(lone))
    found, none = await asyncio.gather(
        people.by_persons("demo", [ALIAS, ANN]), people.by_persons("demo", [STRANGER])
    )
    assert {person: p["_id"] for person, p in found.items()} == {ALIAS: ANN, ANN: ANN}
    assert none == {}
