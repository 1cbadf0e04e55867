"""The `histories` and `history_samples` collections: what a sample of each app's people did lately.

    histories       {_id person, app, place, moments [{at, json}], cut, expireAt}
    history_samples {_id app, share}

A person belongs to the sample by her hash, `place`, while it is below the app's `share`. That begins at
1 and is halved whenever the sample grows too large; it never rises, so histories have no holes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from sender_service.models.scenario.history import (
    HISTORY_LENGTH,
    MAX_HISTORY_MOMENTS,
    HeardMoment,
    History,
)
from shared.ids import stable_fraction
from shared.models.person_moment import PersonMoment
from shared.mongo.client import (
    Database,
    Document,
    in_batches,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import HISTORIES, HISTORY_SAMPLES
from shared.mongo.errors import duplicates_of
from shared.mongo.whole_reads import read_all, read_each

MAX_PERSONS = 20_000  # of an app
MAX_MOMENT_BYTES = 8 * 1024  # so that a history stays far below what a document may have
WHOLE_SHARE = 1.0


@dataclass(frozen=True, slots=True)
class NamedHistory:
    """History as it is exported."""

    person: str
    content: Mapping[str, object]


class HistoryStore:
    """Stores histories. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._histories = database[HISTORIES.name]
        self._samples = database[HISTORY_SAMPLES.name]

    async def share(self, app: str) -> float:
        """Return the part of the app's people of whom histories are kept."""
        with translate_mongo_errors():
            found = await self._samples.find_one({"_id": app})
        return WHOLE_SHARE if found is None else float(found["share"])

    async def add(self, app: str, moments: Sequence[PersonMoment], now: datetime) -> int:
        """Add moments that are read now; return how many people are new."""
        by_person: dict[str, list[PersonMoment]] = defaultdict(list)
        for moment in moments:
            by_person[moment.person].append(moment)
        with translate_mongo_errors():
            known = await self._known(list(by_person))
            fresh = [_begun(app, one, of, now) for one, of in by_person.items() if one not in known]
            known |= await self._insert(fresh)
            writes = [_addition(app, one, by_person[one], now) for one in sorted(known)]

            async def write() -> int:
                result = await self._histories.bulk_write(writes, ordered=False)
                return result.upserted_count

            again = await retry_on_conflict(write) if writes else 0
        return len(by_person) - len(known) + again

    async def count(self, app: str) -> int:
        with translate_mongo_errors():
            return await self._histories.count_documents({"app": app})

    async def halve(self, app: str, share: float) -> float:
        """Halve the sample, if its share is still this one; return its share since."""
        change = {"$set": {"share": share / 2}}
        with translate_mongo_errors():
            with suppress(DuplicateKeyError):  # another process was faster
                await self._samples.update_one(
                    {"_id": app, "share": share}, change, upsert=share == WHOLE_SHARE
                )
            now = await self.share(app)
            await self._histories.delete_many({"app": app, "place": {"$gte": now}})
        return now

    async def persons(self, app: str, share: float) -> list[str]:
        """Return the people of the sample, in order."""
        query = {"app": app, "place": {"$lt": share}}
        with translate_mongo_errors():
            return sorted(one["_id"] for one in await read_all(self._histories, query, {"_id": 1}))

    async def read(self, persons: Sequence[str], now: datetime) -> AsyncIterator[History]:
        """Yield these people's histories, one in memory, without what is too old."""
        with translate_mongo_errors():
            async for document in read_each(self._histories, persons):
                history = _decode(document, now - HISTORY_LENGTH)
                if history.moments:
                    yield history

    async def find(self, app: str, persons: Mapping[str, datetime]) -> AsyncIterator[NamedHistory]:
        """Yield these persons' histories, of each until her time."""
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(persons)):
                for found in await read_all(self._histories, {**batch, "app": app}):
                    until = persons[found["_id"]]
                    moments = [one for one in found["moments"] if one["at"] <= until]
                    if moments:
                        yield NamedHistory(found["_id"], _exported(found["_id"], moments))

    async def delete_until(self, person: str, until: datetime) -> None:
        """Delete what a person did until a time."""
        with translate_mongo_errors():
            older = {"$pull": {"moments": {"at": {"$lte": until}}}}
            await self._histories.update_one({"_id": person}, older)
            await self._histories.delete_one({"_id": person, "moments": []})

    async def delete(self, persons: Iterable[str]) -> None:
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(set(persons))):
                await self._histories.delete_many(batch)

    async def drop_old(self, app: str, now: datetime) -> None:
        """Drop moments that are too old from histories that go on."""
        old = {"at": {"$lt": now - HISTORY_LENGTH}}
        with translate_mongo_errors():
            await self._histories.update_many({"app": app}, {"$pull": {"moments": old}})

    async def _known(self, persons: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for batch in in_batches("_id", persons):
            found |= {one["_id"] for one in await read_all(self._histories, batch, {"_id": 1})}
        return found

    async def _insert(self, fresh: Sequence[Document]) -> set[str]:
        """Insert histories: some engines take five times as long to upsert them. Return those that
        another process has inserted meanwhile."""
        if not fresh:
            return set()
        try:
            await self._histories.insert_many(fresh, ordered=False)
        except BulkWriteError as exc:
            return {fresh[place]["_id"] for place in duplicates_of(exc)}
        return set()


def place_of(app: str, person: str) -> float:
    """Return a person's place among all, by which she is in a sample or not."""
    return stable_fraction("history", app, person)


def _begun(app: str, person: str, moments: Sequence[PersonMoment], now: datetime) -> Document:
    """Return the document of a new history."""
    kept, fields = _kept(moments, now)
    place = place_of(app, person)
    return {
        "_id": person,
        "app": app,
        "place": place,
        **fields,
        "moments": kept[-MAX_HISTORY_MOMENTS:],
    }


def _addition(app: str, person: str, moments: Sequence[PersonMoment], now: datetime) -> UpdateOne:
    kept, fields = _kept(moments, now)
    change: Document = {
        "$push": {"moments": {"$each": kept, "$slice": -MAX_HISTORY_MOMENTS}},
        "$set": fields,
        "$setOnInsert": {"app": app, "place": place_of(app, person)},
    }
    return UpdateOne({"_id": person}, change, upsert=True)


def _kept(moments: Sequence[PersonMoment], now: datetime) -> tuple[list[Document], Document]:
    """Return the moments that are kept, and the history's fields once they are."""
    pieces = [moment.dump() for moment in moments]
    kept = [{"at": now, "json": one.decode()} for one in pieces if len(one) <= MAX_MOMENT_BYTES]
    is_cut: Document = {"cut": True} if len(kept) < len(pieces) else {}
    return kept, {"expireAt": now + HISTORY_LENGTH, **is_cut}


def _decode(document: Document, since: datetime) -> History:
    moments = document["moments"]
    # What was read again says nothing new.
    new = {one["json"]: one["at"] for one in reversed(moments) if one["at"] >= since}
    return History(
        person=document["_id"],
        moments=tuple(HeardMoment(at, _parse(json)) for json, at in reversed(new.items())),
        is_cut=document.get("cut", False) or len(moments) >= MAX_HISTORY_MOMENTS,
    )


def _parse(json: str) -> PersonMoment:
    return PersonMoment.parse(json.encode())


def _exported(person: str, moments: Iterable[Document]) -> Mapping[str, object]:
    found = [
        {"readAt": one["at"], **_parse(one["json"]).model_dump(by_alias=True, exclude_none=True)}
        for one in moments
    ]
    return {"id": person, "moments": found}
