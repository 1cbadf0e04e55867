"""A store in memory that keeps the real one's promises, and a log one can write by hand."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.player_codec import decode_entry, encode_entry
from ingest_service.projector.profile import BOUNDS, ProfileLimits
from ingest_service.projector.projector import Projector
from ingest_service.projector.reading import BULK, WITHOUT_BULK
from ingest_service.projector.store import ConcurrentWrite, ErasedMerges
from ingest_service.projector.visitor import Visitor
from ingest_service.projector.visitor_codec import decode_head, decode_visitor, encode_visitor
from shared.documents import visitor as documents
from shared.documents.merge import Merge, Tombstone
from shared.documents.player import Player
from shared.documents.profile import Profile
from shared.kafka.records import Record
from shared.models.event import Event
from shared.stage.runner import Item

Document = dict[str, Any]
APP = "demo"
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class MemoryProjections:
    """Hands out copies, and writes only while the stored `rev` is the document's."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Document]] = {
            "visitors": {}, "players": {}, "profiles": {}, "merges": {},
        }  # fmt: skip
        self.erasures = 0
        self.saved_tombstones: dict[str, Tombstone] = {}
        self.read: Counter[str] = Counter()  # documents, by collection

    async def visitors_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Visitor], set[str]]:
        found, left = self._within("visitors", ids, most)
        stored = cast(dict[str, documents.Visitor], found)
        return {name: decode_visitor(visitor) for name, visitor in stored.items()}, left

    async def each_visitor(self, ids: Iterable[str]) -> AsyncIterator[Visitor]:
        found = cast(dict[str, documents.Visitor], self._of("visitors", ids))
        for _, visitor in sorted(found.items()):
            yield decode_visitor(visitor)

    async def heads(self, ids: Iterable[str]) -> dict[str, Visitor]:
        return {name: _head(document) for name, document in self._of("visitors", ids).items()}

    async def heads_of(self, people: Iterable[str], limit: int = 0) -> dict[str, Visitor]:
        requested = set(people)
        every = self.kept["visitors"].values()
        found = [d["_id"] for d in every if requested & set(d["persons"])]
        return await self.heads(found[: limit or None])

    async def players(self, ids: Iterable[str]) -> dict[str, LedgerEntry]:
        found = cast(dict[str, Player], self._of("players", ids))
        return {name: decode_entry(player) for name, player in found.items()}

    async def players_of(
        self, app: str, people: Iterable[str], limit: int = 0
    ) -> dict[str, LedgerEntry]:
        requested = set(people)
        every = self.kept["players"].values()
        found = [d["_id"] for d in every if d["app"] == app and d["person"] in requested]
        return await self.players(found[: limit or None])

    async def profiles_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Profile], set[str]]:
        found, left = self._within("profiles", ids, most)
        return cast(dict[str, Profile], found), left

    def _within(
        self, collection: str, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Document], set[str]]:
        """Return documents up to `most` bytes, as if each had a kilobyte, and the ids left over."""
        names = sorted(set(ids))
        here = [name for name in names if name in self.kept[collection]]
        left = set(here[max(1, most // 1024) :])
        return self._of(collection, [name for name in names if name not in left]), left

    async def save_visitors(self, visitors: Sequence[Visitor]) -> None:
        self._save("visitors", [encode_visitor(visitor) for visitor in visitors])

    async def save_players(self, entries: Sequence[LedgerEntry]) -> None:
        self._save("players", [encode_entry(entry) for entry in entries])

    async def browsers_of_person(self, person: str) -> AsyncIterator[Visitor]:
        for name, document in list(self.kept["visitors"].items()):
            if person in document["persons"]:
                self.read["owners"] += 1
                yield _head(self._of("visitors", [name])[name])

    async def save_merges(
        self,
        documents: Sequence[Merge],
        erased_persons: Iterable[str] = (),
        erased_merges: Iterable[ErasedMerges] = (),
    ) -> None:
        for document in documents:
            kept = self.kept["merges"].setdefault(document["_id"], dict(document))
            if "undone" in document:
                kept["undone"] = document["undone"]

        until = {(end.app, end.person): end.until for end in erased_merges}
        for name, kept in list(self.kept["merges"].items()):
            end = until.get((kept["app"], kept["person"]))
            if name in set(erased_persons) or (end is not None and kept["at"] <= end):
                del self.kept["merges"][name]

    async def save_tombstones(self, tombstones: Sequence[Tombstone]) -> None:
        for tombstone in tombstones:
            kept = self.saved_tombstones.setdefault(tombstone["_id"], copy.copy(tombstone))
            kept["at"] = max(kept["at"], tombstone["at"])

    async def tombstones(self, people: Iterable[str]) -> dict[str, Tombstone]:
        return {
            p: copy.copy(self.saved_tombstones[p]) for p in people if p in self.saved_tombstones
        }

    async def note_erasure(self) -> None:
        self.erasures += 1

    async def save_profiles(self, documents: Sequence[Profile], emptied: Sequence[Profile]) -> None:
        self._save("profiles", documents)
        for document in emptied:
            self._check("profiles", document)
            del self.kept["profiles"][document["_id"]]

    def _of(self, name: str, ids: Iterable[str]) -> dict[str, Document]:
        found = {i: copy.deepcopy(self.kept[name][i]) for i in set(ids) if i in self.kept[name]}
        self.read[name] += len(found)
        return found

    def _save(self, name: str, documents: Sequence[Mapping[str, Any]]) -> None:
        for document in documents:
            self._check(name, document)
            stored = {**copy.deepcopy(document), "rev": document["rev"] + 1}
            self.kept[name][document["_id"]] = stored

    def _check(self, name: str, document: Mapping[str, Any]) -> None:
        stored = self.kept[name].get(document["_id"], {"rev": 0})
        if stored["rev"] != document["rev"]:
            raise ConcurrentWrite("another projector was faster")


class ProjectorHarness:
    """A projector on a store in memory, fed by hand."""

    def __init__(
        self, store: MemoryProjections | None = None, bounds: ProfileLimits = BOUNDS
    ) -> None:
        self.store = store or MemoryProjections()
        self.people = PersonIds(b"key")
        self.projector = Projector(self.store, self.people, lambda: START, bounds=bounds)

    async def apply(self, *values: Projected) -> None:
        """One batch."""
        await self.projector.handle([item(value) for value in values])

    def login(self, login: str) -> Document:
        return self.store.kept["profiles"][self.people.of_login(APP, login)]

    def anonymous(self, visitor: str, start: str = "0") -> Document | None:
        return self.store.kept["profiles"].get(self.people.of_visitor(APP, visitor, start))

    def player(self, player: str) -> Document:
        return self.store.kept["players"][player]

    def profiles(self) -> dict[str, Document]:
        """All profiles, without what a replay may do otherwise."""
        kept = self.store.kept["profiles"]
        return {
            name: {k: v for k, v in profile.items() if k not in ("rev", "changedAt")}
            for name, profile in kept.items()
        }


def item(value: Projected) -> Item[Projected]:
    return Item(Record("carillon.events", 0, 0, b"", b"", "", 0), value)


def event(kind: str, visitor: str, number: int, **data: Any) -> Event:
    """Return the visitor's event `number`, from so many seconds after the start."""
    at = START + timedelta(seconds=number)
    return Event(
        app=APP,
        id=f"{visitor}-{number}",
        type=kind,
        source="browser",
        visitor_id=visitor,
        player_id=data.get("playerID"),
        occurred_at=at,
        received_at=at,
        data=data,
    )


def by_login(kind: str, login: str, number: int, /, **data: Any) -> Event:
    """Return a server's event that names a login, as ingest writes it."""
    named = event(kind, PersonIds(b"key").visitor_of_login(APP, login), number, **data)
    return named.model_copy(update={"source": "server", "login": login})


def one_signal(visitor: str, number: int, player: str, status: str = "subscribed") -> Event:
    state = "subscribed" if status == "subscribed" else "unsubscribed"
    return event("oneSignal", visitor, number, playerID=player, status=status, state=state)


def _head(visitor: Document) -> Visitor:
    """Return the visitor without what `WITHOUT_BULK` leaves out."""
    left = {k: v for k, v in visitor.items() if WITHOUT_BULK.get(k) != 0}
    parts = (
        {k: v for k, v in epoch["contribution"].items() if k not in BULK}
        for epoch in visitor["epochs"]
    )
    epochs = zip(visitor["epochs"], parts, strict=True)
    left["epochs"] = [{**epoch, "contribution": part} for epoch, part in epochs]
    return decode_head(cast(documents.VisitorHead, left))
