"""A login with any number of browsers is erased in pieces, none of which grows with it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest

from sender_service.privacy.requests import MAX_NAMES_BY_EVENT, ErasureRequester
from sender_service.privacy.subject import DataSubject
from sender_service.store.person_data import PersonDataReader
from shared.documents.profile import Profile
from shared.kafka.records import OutgoingRecord
from shared.models.event import Event
from tests.support.ops_client import PERSON, Ops

CROWD, AT_ONCE = 130, 20
SMALL = 4_096  # bytes of an event


class PiecesLog:
    """Remembers how many records came together."""

    def __init__(self) -> None:
        self.pieces: list[list[OutgoingRecord]] = []

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        self.pieces.append(list(records))


async def a_crowd(ops: Ops, count: int) -> tuple[Profile, set[str], set[str], set[str]]:
    """Return profile, visitors, players and aliases; the profile lists only the first of each."""
    await ops.add_person(login="jana")
    profile = await PersonDataReader(ops.database).profile(PERSON)
    assert profile is not None
    visitors, aliases = [f"v-{n:04}" for n in range(count)], [f"{n:032x}" for n in range(count)]
    players = [str(uuid.UUID(int=n)) for n in range(count)]
    await ops.database["visitors"].insert_many(
        [{"_id": f"x{v}", "app": "shop", "visitor": v, "persons": [PERSON]} for v in visitors]
    )
    await ops.database["players"].insert_many(
        [{"_id": p, "app": "shop", "person": PERSON} for p in players]
    )
    await ops.database["merges"].insert_many(
        [{"_id": a, "app": "shop", "person": PERSON, "visitor": "v-0000"} for a in aliases]
    )
    listed = {str(player["id"]) for player in profile["players"]}
    return profile, {*visitors, *profile["visitors"]}, {*players, *listed}, set(aliases)


async def erased_by(ops: Ops, profile: Profile) -> tuple[list[list[OutgoingRecord]], list[Event]]:
    log = PiecesLog()
    people = PersonDataReader(ops.database)
    erasure = await ErasureRequester(people, log, ops.context.vault, ops.clock, AT_ONCE).erase(
        profile
    )
    events = [Event.parse(out.value) for piece in log.pieces for out in piece]
    assert erasure.count == len(events) and erasure.ids == [event.id for event in events]
    return log.pieces, events


async def test_crowd_is_published_in_pieces_and_named_whole(ops: Ops) -> None:
    profile, visitors, players, aliases = await a_crowd(ops, CROWD)
    pieces, events = await erased_by(ops, profile)
    assert max(map(len, pieces)) == AT_ONCE
    assert max(len(out.value) for piece in pieces for out in piece) < SMALL
    named = DataSubject.of("shop", events, ops.context.vault.hash_key)
    assert set(named.players) == players
    assert set(named.persons) == {PERSON, *aliases}
    assert set(named.visitors) == visitors | {f"os:{player}" for player in players}
    assert [bool(event.data["findOthers"]) for event in events].count(True) == 1
    assert events[0].data["findOthers"]


async def test_few_are_named_by_each_event(ops: Ops) -> None:
    # So that whichever is read first finds everything.
    profile, _, players, aliases = await a_crowd(
        ops, MAX_NAMES_BY_EVENT - 1
    )  # and the one that is listed
    _, events = await erased_by(ops, profile)
    assert len(events) == 2 * MAX_NAMES_BY_EVENT
    assert all(set(event.data["players"]) == players for event in events)
    assert all(set(event.data["aliases"]) == aliases for event in events)


async def test_answer_names_only_the_first_events(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sender_service.privacy.requests.MAX_IDS", 10)
    await a_crowd(ops, CROWD)
    erasure = await ops.ok("POST", f"/v1/people/{PERSON}/erase")
    assert (len(erasure["events"]), erasure["count"]) == (10, len(ops.log.records))
