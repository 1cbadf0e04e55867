"""Export of a person's data of both services, streamed in little memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from sender_service.accounting.explain import OutcomeExplainer
from sender_service.models.send import NEVER
from sender_service.pages.chunk import root_of
from sender_service.privacy.records import Finder, PersonalDataFinder
from sender_service.privacy.subject import DataSubject
from sender_service.store.erasure import ErasureStore
from sender_service.store.outcomes import MemberOutcome
from sender_service.store.person_data import PersonDataReader, PersonNames
from shared.documents.visitor import Visitor
from shared.models.wire import to_iso
from shared.mongo.collections import (
    AUDIT,
    BODIES,
    CONTACTS,
    DEAD_LETTERS,
    ERASED,
    FIRINGS,
    HISTORIES,
    INTERACTIONS,
    MERGES,
    PAGES,
    PARKED,
    PARTS,
    PLAYERS,
    PROFILES,
    RUNS,
    SENDS,
    VISITORS,
)

Item = Mapping[str, object]  # of a section, as its store has it

# Internal fields; a player's rival is another person's browser.
UNEXPORTED_FIELDS = frozenset({"_id", "rev", "slot", "head", "rival"})
# Collection → the section of the export with the person's data from it.
SECTIONS: Mapping[str, str] = {
    PROFILES.name: "profile", PLAYERS.name: "players", VISITORS.name: "browsers",
    MERGES.name: "merges", PAGES.name: "sends", INTERACTIONS.name: "sends", BODIES.name: "sends",
    SENDS.name: "triggers", PARTS.name: "parts", CONTACTS.name: "caps", RUNS.name: "runs",
    FIRINGS.name: "firings", HISTORIES.name: "histories", PARKED.name: "parked",
    DEAD_LETTERS.name: "deadLetters", AUDIT.name: "audit", ERASED.name: "erasedBefore",
}  # fmt: skip


class PersonExporter:
    def __init__(
        self,
        people: PersonDataReader,
        why: OutcomeExplainer,
        store: ErasureStore,
        hash_of: Callable[[str], str],
    ) -> None:
        self._people = people
        self._why = why
        self._store = store
        self._records = PersonalDataFinder(store)
        self._hash_of = hash_of

    async def stream(self, known: PersonNames) -> AsyncIterator[bytes]:
        """Yield one JSON object, in pieces. Raises StoreUnavailable, which cuts it off."""
        head = {"id": known.profile["_id"], "profile": _bare(known.profile)}
        yield _json(head)[:-1]
        for name, items in self._sections(known).items():
            yield b',"%s":[' % name.encode()
            comma = b""
            async for one in items:
                yield comma + _json(one)
                comma = b","
            yield b"]"
        yield b',"complete":true}'

    def _sections(self, known: PersonNames) -> dict[str, AsyncIterator[Item]]:
        people, profile = self._people, known.profile
        subject = _subject_of(known, self._hash_of)
        return {
            "players": _named(people.players(profile)),
            "browsers": _browsers(people.browsers(profile), known),
            "merges": _named(people.merges(profile)),
            "sends": self._sends(known),
            **{SECTIONS[c]: _records(find, subject) for c, find in self._records.finders.items()},
            "audit": _named(self._store.audit_entries(known.ids)),
            "erasedBefore": _named(self._store.tombstones(known.ids)),
        }

    async def _sends(self, known: PersonNames) -> AsyncIterator[Item]:
        page = ""
        bodies: Sequence[Item] = ()
        async for found, item in self._why.whole(known):
            if found.page != page:
                page, bodies = found.page, await self._store.bodies(found.page)
            yield {**item, "rendered": _rendered(found, bodies)}


def _subject_of(known: PersonNames, hash_of: Callable[[str], str]) -> DataSubject:
    """Return the data subject of an erasure at any time."""
    login = known.profile.get("login")
    return DataSubject(
        app=known.profile["app"],
        persons=dict.fromkeys(known.ids, NEVER),
        players=dict.fromkeys(known.player_ids, NEVER),
        visitors=dict.fromkeys(known.visitor_ids, NEVER),
        login_hashes=dict.fromkeys([hash_of(login)] if login else [], NEVER),
        hash_of=hash_of,
    )


async def _records(find: Finder, subject: DataSubject) -> AsyncIterator[Item]:
    async for record in find(subject):
        yield record.content


async def _named(documents: AsyncIterator[Item]) -> AsyncIterator[Item]:
    async for document in documents:
        yield {"id": document["_id"], **_bare(document)}


async def _browsers(browsers: AsyncIterator[Visitor], known: PersonNames) -> AsyncIterator[Item]:
    async for browser in browsers:
        yield _browser(browser, known)


def _browser(visitor: Visitor, known: PersonNames) -> Item:
    """Return the person's own data in a browser that others may have used, too."""
    login = known.profile.get("login")
    epochs = [
        epoch
        for epoch in visitor.get("epochs", ())
        if epoch["anonymousId"] in known.ids or (login is not None and epoch["login"] == login)
    ]
    players = [p for p in visitor.get("players", ()) if p["id"] in known.player_ids]
    return {"id": visitor["visitor"], "epochs": epochs, "players": players}


def _rendered(found: MemberOutcome, bodies: Sequence[Item]) -> Item | None:
    """Return the rendered text; None once it is deleted."""
    index = int(root_of(found.chunk)) if found.chunk else len(bodies)
    return bodies[index] if index < len(bodies) else None


def _bare(document: Item) -> Item:
    return {name: value for name, value in document.items() if name not in UNEXPORTED_FIELDS}


def _json(value: Any) -> bytes:
    return orjson.dumps(plain(value))


def plain(value: Any) -> Any:
    """Return the value with its moments as text: UTC, milliseconds, Z."""
    if isinstance(value, datetime):
        return to_iso(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value
