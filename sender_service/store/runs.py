"""The `runs` collection: each person's way through each scenario.

A run's own changes are conditional on its `rev`. A firing's claim is one shared change of many runs,
conditional on the step at which they wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from sender_service.models.scenario.firing import StepClaim
from sender_service.models.scenario.run import MAX_STEPS_KEPT, DueRun, EndReason, Run
from sender_service.models.send import EVER, NEVER
from sender_service.store.run_codec import (
    decode_run,
    encode_push,
    encode_run,
    expiry_of,
    replaced,
    replacement_of,
)
from sender_service.store.run_pages import ids_of, read_waiting
from shared.mongo.client import (
    Database,
    Document,
    in_batches,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import RUNS
from shared.mongo.errors import duplicates_of
from shared.mongo.whole_reads import BY_ID, read_all, walk

DUE_AT_ONCE = 500
DUE_IDS_AT_ONCE = 50_000
ENDED_AT_ONCE = 20_000  # ids; some engines read all that match, whatever the limit
COUNTED_AT_ONCE = 1_000
LAST_DUE = NEVER - timedelta(milliseconds=1)  # NEVER: over


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Runs of a scenario: how many wait, and how many ended, by reason."""

    waiting: int
    ended: dict[EndReason, int]


class RunStore:
    """Stores runs. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._runs = database[RUNS.name]

    async def of_person(self, app: str, person: str) -> list[Run]:
        """Return all runs of a person, those that are over too."""
        return await self._read({"app": app, "person": person})

    async def of_people(self, app: str, persons: Iterable[str]) -> dict[str, list[Run]]:
        """Return person → runs; people without one are absent."""
        found: dict[str, list[Run]] = defaultdict(list)
        for batch in in_batches("person", sorted(set(persons))):
            for run in await self._read({"app": app, **batch}):
                found[run.person].append(run)
        return dict(found)

    async def get(self, ids: Iterable[str]) -> dict[str, Run]:
        """Return the runs by id, of those that are there."""
        batches = in_batches("_id", sorted(set(ids)))
        return {run.id: run for batch in batches for run in await self._read(batch)}

    async def insert(self, runs: Sequence[Run]) -> set[str]:
        """Insert runs; return the ids of those that are new."""
        if not runs:
            return set()
        ids = [run.id for run in runs]
        with translate_mongo_errors():
            try:
                await self._runs.insert_many(list(map(encode_run, runs)), ordered=False)
            except BulkWriteError as exc:
                known = set(duplicates_of(exc))
                return {id for place, id in enumerate(ids) if place not in known}
        return set(ids)

    async def replace(self, run: Run) -> bool:
        """Write the run and raise its `rev`; return False where it isn't as it was read."""
        with translate_mongo_errors():
            result = await self._runs.replace_one(*replacement_of(run))
        return result.matched_count == 1

    async def replace_many(self, runs: Sequence[Run]) -> set[str]:
        """Write runs as `replace` does; return the ids of those that were written."""
        if not runs:
            return set()
        writes = [ReplaceOne(*replacement_of(run)) for run in runs]
        with translate_mongo_errors():
            written = await write_conditionally(self._runs, writes)
        if written == len(runs):
            return {run.id for run in runs}
        # A bulk write doesn't name those that it met.
        stored = await self.get(run.id for run in runs)
        return {run.id for run in runs if stored.get(run.id) == replaced(run)}

    async def due(
        self,
        app: str,
        now: datetime,
        limit: int = DUE_IDS_AT_ONCE,
        *,
        without: Collection[tuple[str, int]] = (),
    ) -> list[DueRun]:
        """Return runs that are due, the longest due first, `without` those of some scenarios' versions."""
        query, fields = _due(app, until=now), {"due": 1, "version": 1}
        if without:
            query["$nor"] = [{"scenario": id, "version": version} for id, version in without]
        with translate_mongo_errors():
            found = await read_all(self._runs, query, fields, limit=limit)
        found.sort(key=lambda one: (one["due"], one["_id"]))
        return [DueRun(one["_id"], one["version"], one["due"]) for one in found]

    async def claim(self, ids: Sequence[str], claim: StepClaim) -> None:
        """Take the step of those that still wait at it. `claimed` returns them."""
        change: Document = {
            "$set": {"step": claim.next_step, "basis": claim.basis, "due": claim.due},
            "$push": {"pushes": {"$each": [encode_push(claim.push)], "$slice": -MAX_STEPS_KEPT}},
            "$inc": {"rev": 1},
        }
        still = {
            "version": claim.version,
            "step": claim.step,
            "state": "waiting",
            "due": {"$lte": claim.until},
        }
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                await self._runs.update_many({**batch, **still}, change)

    async def claimed(self, ids: Sequence[str], firing: str) -> list[str]:
        """Return those of the runs that have this firing's push, in their order."""
        found: set[str] = set()
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                query = {**batch, "pushes.firing": firing}
                found |= {one["_id"] for one in await read_all(self._runs, query, {"_id": 1})}
        return [id for id in ids if id in found]

    async def entered_at(self, app: str, scenario: str, at: datetime) -> list[str]:
        """Return the ids of a scenario's runs of one time of entry, as the clock's people have it."""
        query = {"app": app, "scenario": scenario, "entry.at": at}
        with translate_mongo_errors():
            return sorted([one["_id"] for one in await read_all(self._runs, query, {"_id": 1})])

    async def end_all(
        self, app: str, scenario: str, why: EndReason, now: datetime, *, version: int
    ) -> int:
        """End the scenario's waiting runs, up to a version; return how many. Repeating it ends the rest."""
        count, since = 0, EVER
        fields = {"due": 1, "againDays": 1}
        while True:
            # Those of other scenarios stay in the way: the next read begins where this one ended.
            query = {**_due(app, NEVER, since), "scenario": scenario, "state": "waiting"}
            query["version"] = {"$lte": version}
            with translate_mongo_errors():
                found = await read_all(self._runs, query, fields, limit=ENDED_AT_ONCE)
            if not found and since == EVER:
                return count
            # A read of very many may have another order, so the last one begins from the start again.
            since = min((one["due"] for one in found), default=EVER)
            for ids, again_days in _by_again(found):
                count += await self._end(ids, why, now, again_days)

    async def delete_person(self, app: str, person: str, until: datetime = NEVER) -> None:
        """Delete a person's runs, of entries until a time if given."""
        query = {"app": app, "person": person, "entry.at": {"$lte": until}}
        with translate_mongo_errors():
            await self._runs.delete_many(query)

    async def find(
        self,
        app: str,
        scenario: str,
        *,
        state: Literal["waiting", "over"] | None = None,
        step: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[Run]:
        """Return runs of a scenario in the order of their ids, behind the id `after`."""
        query: Document = {"_id": ids_of(app, scenario, after)}
        query |= {} if step is None else {"step": step}
        if state == "waiting":
            waiting = _due(app, until=NEVER)
            return list(map(decode_run, await read_waiting(self._runs, waiting, query, limit)))
        query |= {} if state is None else {"state": state}
        with translate_mongo_errors():
            cursor = self._runs.find(query).sort(BY_ID).hint(BY_ID).limit(limit)
            return [decode_run(document) async for document in cursor]

    async def counts(self, app: str, scenario: str) -> RunCounts:
        """Count a scenario's runs."""
        query, waiting = {"_id": ids_of(app, scenario)}, 0
        ended: dict[EndReason, int] = defaultdict(int)
        with translate_mongo_errors():
            async for run in walk(self._runs, query, {"ended": 1}, at_once=COUNTED_AT_ONCE):
                if run["ended"] is None:
                    waiting += 1
                else:
                    ended[run["ended"]["why"]] += 1
        return RunCounts(waiting, dict(ended))

    async def _end(self, ids: Sequence[str], why: EndReason, now: datetime, again_days: int) -> int:
        ended = {"state": "over", "ended": {"why": why, "at": now}, "due": NEVER}
        change = {
            "$set": {**ended, "expireAt": expiry_of(now, again_days)},
            "$inc": {"rev": 1},
        }
        count = 0
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                result = await self._runs.update_many({**batch, "state": "waiting"}, change)
                count += result.modified_count
        return count

    async def _read(self, query: Document) -> list[Run]:
        with translate_mongo_errors():
            return list(map(decode_run, await read_all(self._runs, query)))


def _due(app: str, until: datetime, since: datetime = EVER) -> Document:
    """Return the query of an app's waiting runs by their due time."""
    return {"app": app, "due": {"$gte": since, "$lte": min(until, LAST_DUE)}}


def _by_again(found: Iterable[Document]) -> Iterator[tuple[list[str], int]]:
    """Yield ids of runs that expire alike."""
    groups: dict[int, list[str]] = defaultdict(list)
    for one in found:
        groups[one["againDays"]].append(one["_id"])
    for again_days, ids in groups.items():
        yield ids, again_days
