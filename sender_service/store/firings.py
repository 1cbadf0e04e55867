"""The `firings` collection: what scenarios push, written before they act."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pymongo.errors import DuplicateKeyError

from sender_service.models.erased_names import marker
from sender_service.models.scenario.firing import Firing, FiringState, Member, Occurrence
from sender_service.models.scenario.usual_outcomes import has_trouble
from sender_service.store.recent import Span, newest_of
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import FIRINGS
from shared.mongo.whole_reads import read_all

LISTED_DAYS = timedelta(days=100)
OPEN: tuple[FiringState, ...] = ("open",)
NOT_HANDED: tuple[FiringState, ...] = ("open", "claimed")


class FiringHead(NamedTuple):
    """Firing without its members."""

    id: str
    state: FiringState
    expires_at: datetime


class FiringStore:
    """Stores firings. Every method raises StoreUnavailable when MongoDB is away.

    A state is left once, so each step of a firing can be repeated. `chosen` are the places of those
    candidates that were claimed: an erasure blanks names in place, and no later write brings them back.
    `trouble`: of a closed one, whether lists show it.
    """

    def __init__(self, database: Database) -> None:
        self._firings = database[FIRINGS.name]

    async def insert(self, firing: Firing) -> bool:
        """Insert the firing; return False where its id is there."""
        with translate_mongo_errors():
            try:
                await self._firings.insert_one(encode_firing(firing))
            except DuplicateKeyError:
                return False
        return True

    async def get(self, firing: str) -> Firing | None:
        with translate_mongo_errors():
            found = await self._firings.find_one({"_id": firing})
        return None if found is None else decode_firing(found)

    async def of_clock(self, ids: Collection[str]) -> list[Firing]:
        """Return those of these firings that the clock made."""
        found: list[Document] = []
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(ids)):
                found += await read_all(self._firings, batch, {"members": 0, "chosen": 0})
        firings = [decode_firing({**one, "members": []}) for one in found]
        return [firing for firing in firings if firing.occurrence is not None]

    async def unfinished(self, app: str) -> list[Firing]:
        """Return the app's open and claimed firings, the first made first."""
        query = {"app": app, "state": {"$in": list(NOT_HANDED)}}
        with translate_mongo_errors():
            found = list(map(decode_firing, await read_all(self._firings, query)))
        return sorted(found, key=lambda firing: (firing.made_at, firing.id))

    async def under_way(self, app: str) -> list[FiringHead]:
        """Return the app's firings that are neither settled nor late, the first that ends first."""
        query = {"app": app, "state": {"$in": [*NOT_HANDED, "handed"]}}
        fields = {"state": 1, "expiresAt": 1}
        with translate_mongo_errors():
            found = await read_all(self._firings, query, fields)
        heads = [FiringHead(one["_id"], one["state"], one["expiresAt"]) for one in found]
        return sorted(heads, key=lambda head: (head.expires_at, head.id))

    async def set_claimed(self, firing: str, members: Collection[Member]) -> bool:
        """Reduce an open firing to these of its candidates; return False where it isn't open.

        Others are blanked: one who was erased before she was inserted would keep her name.
        """
        runs = {member.run for member in members}
        with translate_mongo_errors():
            found = await self._firings.find_one({"_id": firing}, {"members": 1})
        if found is None:
            return False
        members_by_place = dict(enumerate(found["members"]))
        chosen = [place for place, (run, _) in members_by_place.items() if run in runs]
        blank = {f"members.{n}": [marker(), marker()] for n in members_by_place.keys() - {*chosen}}
        return await self._leave(firing, OPEN, {"state": "claimed", "chosen": chosen, **blank})

    async def set_handed(self, firing: str) -> bool:
        """Record that its trigger was published."""
        return await self._leave(firing, NOT_HANDED, {"state": "handed"})

    async def set_counts(self, firing: str, counts: Mapping[str, int]) -> None:
        """Record whom planning left out, before the firing's send can be over."""
        query = {"_id": firing, "state": {"$in": [*NOT_HANDED, "handed"]}}
        with translate_mongo_errors():
            await self._firings.update_one(query, {"$set": {"counts": dict(counts)}})

    async def close(self, firing: str, counts: Mapping[str, int]) -> bool:
        """Record what became of it, also where nobody was left in it."""
        changes = {"state": "settled", "counts": dict(counts), "trouble": has_trouble(counts)}
        return await self._leave(firing, (*NOT_HANDED, "handed"), changes)

    async def set_late(self, firing: str) -> bool:
        """Record that it expired before it was handed over."""
        return await self._leave(firing, NOT_HANDED, {"state": "late", "trouble": True})

    async def find(self, app: str, scenario: str, before: datetime, limit: int) -> list[Firing]:
        """Return firings due before a moment without their members, newest first."""
        query = {"app": app, "scenario": scenario}
        span = Span("dueAt", before - LISTED_DAYS, before)
        fields = {"members": 0, "chosen": 0}
        found = await newest_of(self._firings, query, span, limit=limit, fields=fields)
        return [decode_firing({**document, "members": []}) for document in found]

    async def _leave(self, firing: str, states: Collection[FiringState], changes: Document) -> bool:
        query = {"_id": firing, "state": {"$in": list(states)}}
        with translate_mongo_errors():
            result = await self._firings.update_one(query, {"$set": changes})
        return result.matched_count == 1


def encode_firing(firing: Firing) -> Document:
    """Return the document of a new firing."""
    return {
        "_id": firing.id,
        "app": firing.app,
        "scenario": firing.scenario,
        "version": firing.version,
        "step": firing.step,
        "campaign": firing.campaign,
        "members": [[member.run, member.person] for member in firing.members],
        "segment": firing.segment,
        "occurrence": None if firing.occurrence is None else _encode_occurrence(firing.occurrence),
        "createdAt": firing.made_at,
        "dueAt": firing.due_at,
        "expiresAt": firing.expires_at,
        "state": firing.state,
        "counts": dict(firing.counts),
        "expireAt": firing.expire_at,
    }


def decode_firing(document: Document) -> Firing:
    members = document["members"]
    chosen = document.get("chosen", range(len(members)))
    occurrence = document["occurrence"]
    return Firing(
        id=document["_id"],
        app=document["app"],
        scenario=document["scenario"],
        version=document["version"],
        step=document["step"],
        campaign=document["campaign"],
        members=tuple(Member(run=members[n][0], person=members[n][1]) for n in chosen),
        segment=document["segment"],
        occurrence=None if occurrence is None else _decode_occurrence(document),
        made_at=document["createdAt"],
        due_at=document["dueAt"],
        expires_at=document["expiresAt"],
        state=document["state"],
        counts=document["counts"],
        expire_at=document["expireAt"],
    )


def _encode_occurrence(one: Occurrence) -> Document:
    day = None if one.day is None else one.day.isoformat()
    return {"name": one.name, "at": one.at, "day": day, "slot": one.slot}


def _decode_occurrence(firing: Document) -> Occurrence:
    one = firing["occurrence"]
    day = None if one["day"] is None else date.fromisoformat(one["day"])
    return Occurrence(
        name=one["name"], at=one["at"], due=firing["dueAt"], day=day, slot=one["slot"]
    )
