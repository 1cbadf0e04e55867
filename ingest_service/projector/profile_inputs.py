"""Inputs of profiles, read so that an event's work has a bound.

A person's number of browsers has no bound: a login that is public may get any number, and each event of
the person would read them all. So a profile is folded from its newest browsers and players
(`ProfileLimits`), those with a proven login first.
A full profile is folded from those that it lists and those of the batch. This equals reading all: the
rank of a browser or player only grows, so a dropped one never comes back. If a listed one has left, and
after an operator's event, more are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ingest_service.projector.contribution import union
from ingest_service.projector.ledger import Ledger
from ingest_service.projector.lww import Document
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.profile import ProfileLimits, choose_browsers
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import Visitor
from shared.documents.profile import Profile

Found = Mapping[str, Document]  # by id
Profiles = Mapping[str, Profile]  # by id


class ProfileInputs:
    """Reader of inputs, to be used after the profiles were read, so that a race is detected."""

    def __init__(self, store: Projections, people: PersonIds, bounds: ProfileLimits) -> None:
        self._store = store
        self._people = people
        self._bounds = bounds

    async def browsers(
        self, app: str, people: set[str], existing: Profiles, visitors: Sequence[Visitor]
    ) -> Found:
        """Return the batch's browsers, and the heads of the persons' other ones."""
        # A browser that another process adds to a person meanwhile isn't missed: its writer folds the
        # profile too, after this one, or makes this one repeat.
        found = {v.state["_id"]: v.state for v in visitors}
        listed = {p: self._listed(app, profile) for p, profile in existing.items()}
        unproven = {p: self._hashed(app, d["unproven"]) for p, d in existing.items()}
        few, full = self._split_full(people, listed, found, unproven, self._bounds.browsers)
        found = await self._store.heads_of(few) | found
        found |= await self._store.heads(_missing(full, listed, found))
        operated = {p for v in visitors if v.operated for p in v.affected}
        for person in full:
            left = any(person not in found.get(b, _NOBODYS)["persons"] for b in listed[person])
            left = left or self._has_proof(person, unproven[person], found)
            if left or person in operated:
                others = await self._store.heads_of([person], self._bounds.read)
                found = self._chosen_of(person, others) | found
        return found

    async def wholes(self, chosen: Mapping[str, Sequence[Visitor]], own: set[str]) -> Found:
        """Return each person's contribution of its chosen browsers.

        `own` are browsers with whole documents at hand; the others are read one after another.
        """
        wholes: dict[str, Document] = {}
        needed: dict[str, set[str]] = defaultdict(set)
        for person, visitors in chosen.items():
            wholes[person] = union(p for v in visitors for p in _parts(person, v))
            for visitor in visitors:
                if visitor.state["_id"] not in own:
                    needed[visitor.state["_id"]].add(person)
        if needed:
            async for state in self._store.each_visitor(needed):
                visitor = Visitor(state, self._people)
                for person in needed[state["_id"]]:
                    wholes[person] = union([wholes[person], *_parts(person, visitor)])
        return wholes

    def _chosen_of(self, person: str, heads: Found) -> dict[str, Document]:
        visitors = [Visitor(state, self._people) for state in heads.values()]
        chosen = choose_browsers(person, visitors, self._bounds)
        return {v.state["_id"]: v.state for v in chosen}

    async def players(
        self, app: str, people: set[str], existing: Profiles, ledger: Ledger
    ) -> Mapping[str, LedgerEntry]:
        """Return the ledger's players, and the persons' other ones."""
        found = dict(ledger.players)
        listed = {p: {one["id"] for one in d["players"]} for p, d in existing.items()}
        unproven = {
            p: {one["id"] for one in d["players"] if not one["proven"]} for p, d in existing.items()
        }
        few, full = self._split_full(people, listed, found, unproven, self._bounds.players)
        found |= await self._store.players_of(app, few)
        found |= await self._store.players(_missing(full, listed, found))
        for person in full:
            if _has_changed(person, listed[person], unproven[person], found):
                found |= await self._store.players_of(app, [person], self._bounds.read)
        return found

    def _listed(self, app: str, profile: Profile) -> set[str]:
        return self._hashed(app, [*profile["visitors"], *profile["pastVisitors"]])

    def _hashed(self, app: str, names: Iterable[str]) -> set[str]:
        return {self._people.of_browser(app, name) for name in names}

    def _has_proof(self, person: str, browsers: set[str], found: Found) -> bool:
        """Return whether a listed unproven browser has a proof now, which frees an unproven place."""
        return any(Visitor(found[b], self._people).has_proven(person) for b in browsers)

    def _split_full(
        self,
        people: Iterable[str],
        listed: Mapping[str, set[str]],
        at_hand: Mapping[str, object],
        unproven: Mapping[str, set[str]],
        bound: int,
    ) -> tuple[list[str], list[str]]:
        """Return the persons of whom all is to be read, and those whose profiles are full."""
        full = [
            p
            for p in people
            if len(listed.get(p, ())) >= bound or len(unproven.get(p, ())) >= self._bounds.unproven
        ]
        few = [p for p in people if p not in listed or not listed[p] <= at_hand.keys()]
        return [p for p in few if p not in full], full


def _parts(person: str, visitor: Visitor) -> list[Document]:
    return [e["contribution"] for e in visitor.state["epochs"] if visitor.person_of(e) == person]


_NOBODYS: Document = {"persons": []}


def _has_changed(
    person: str, listed: set[str], unproven: set[str], found: Mapping[str, LedgerEntry]
) -> bool:
    """Return whether a listed player has left the person, or gained or lost its proof."""
    for player in listed:
        entry = found.get(player)
        if entry is None or entry.person != person or entry.claim.proven == (player in unproven):
            return True
    return False


def _missing(
    people: Iterable[str], listed: Mapping[str, set[str]], at_hand: Mapping[str, object]
) -> set[str]:
    return {name for person in people for name in listed[person] if name not in at_hand}
