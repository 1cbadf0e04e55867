"""The `contacts` collection: recent pushes of each person, in one document with a bounded list.

Pushes of merged persons count as well: a login starts no new cap. A reservation copies them from
their documents into the person's own, where they stay when the merge is undone (docs/decisions/0064).
Pushes of scenarios are marked: a gap counts those alone. They are noted for when they leave, as far as
that is known: two that wait through a night would come together in the morning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from sender_service.models.policy import Gap
from sender_service.store.contact_pushes import (
    People,
    PlannedPush,
    check_caps,
    contact_key,
    merged_into,
    move_pushes,
    scenario_entries,
)
from sender_service.store.merges import read_merges
from shared.mongo.client import (
    Database,
    Document,
    Write,
    in_batches,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import CONTACTS
from shared.mongo.whole_reads import read_all


class ContactStore:
    """Counts pushes for caps. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contacts = database[CONTACTS.name]

    async def reserve(self, app: str, people: People, push: PlannedPush) -> set[str]:
        """Record the push for each person; return those whose cap is reached.

        Repeating it changes nothing. Writes are conditional: a lost one is read and tried again,
        until nothing is left to write.
        """
        while True:
            known = await self._read(app, people)
            refused, writes = check_caps(app, people, known, push)
            if not writes:
                return refused
            await self._write(writes)

    async def refused(self, app: str, people: People, push: PlannedPush) -> set[str]:
        """Return the people whose cap is reached; records nothing."""
        return check_caps(app, people, await self._read(app, people), push)[0]

    async def move(self, app: str, send: str, gap: Gap, to: Mapping[str, datetime]) -> set[str]:
        """Record that a scenario's push comes later to these people; return those who would get it within
        the gap of another.

        Repeating it changes nothing, and writes are conditional, as when it was reserved.
        """
        keys = {contact_key(app, person): person for person in to}
        while True:
            known = await self._read(app, dict.fromkeys(to, ()))
            later = {key: to[person] for key, person in keys.items()}
            refused, writes = move_pushes(known.values(), send, gap, later)
            if not writes:
                return {keys[key] for key in refused}
            await self._write(writes)

    async def _write(self, writes: Sequence[Write]) -> None:
        with translate_mongo_errors():
            await write_conditionally(self._contacts, writes)

    async def scenario_pushes(self, app: str, people: People) -> dict[str, list[datetime]]:
        """Return the times of each person's scenario pushes, also of those merged into them."""
        known = await self._read(app, people)
        return {
            person: [
                entry["at"]
                for name in (person, *merged_into(people, person))
                for entry in scenario_entries(known.get(contact_key(app, name)))
            ]
            for person in people
        }

    async def scenario_sends(self, app: str, persons: Collection[str]) -> list[str]:
        """Return the sends of scenarios that pushed to one of these persons, the newest first."""
        known = (await self._read(app, dict.fromkeys(persons, ()))).values()
        entries = [entry for one in known for entry in scenario_entries(one)]
        newest = sorted(entries, key=itemgetter("at", "send"), reverse=True)
        return list(dict.fromkeys(entry["send"] for entry in newest))

    async def release(self, app: str, people: Collection[str], send: str) -> None:
        """Remove this send's pushes of people who got nothing, and what was copied of them.

        Repeating it changes nothing.
        """
        await self._pull(app, people, {"pushes.send": send}, {"send": send})
        # Their own go first, and `rev` rises in any case: a reservation that read one before doesn't
        # copy it afterwards. Nobody is ever merged into two persons, so these records lead to all copies:
        # after an undo a browser's next login merges the person that it was since.
        merges = await read_merges(self._database, app, people)
        heirs = {merge["person"] for merge in merges}
        await self._pull(app, heirs, {}, {"send": send, "taken": True})

    async def _pull(
        self, app: str, people: Collection[str], where: Document, pushes: Document
    ) -> None:
        keys = sorted(contact_key(app, person) for person in people)
        pull = {"$pull": {"pushes": pushes}, "$inc": {"rev": 1}}
        with translate_mongo_errors():
            for batch in in_batches("_id", keys):
                await self._contacts.update_many({**batch, **where}, pull)

    async def _read(self, app: str, people: People) -> dict[str, Document]:
        # Merged persons' documents come last: what is given back after they were read raises `rev`
        # of the survivor's, which was read before.
        found: dict[str, Document] = {}
        merged = {name for person in people for name in merged_into(people, person)}
        for names in (people, merged):
            keys = sorted(contact_key(app, name) for name in names)
            with translate_mongo_errors():
                for batch in in_batches("_id", keys):
                    found |= {d["_id"]: d for d in await read_all(self._contacts, batch)}
        return found
