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
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence

from ingest_service.projector.browser import Browser
from ingest_service.projector.contribution import join_epochs, union
from ingest_service.projector.ledger import Ledger
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.profile import ProfileLimits, choose_browsers
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import Visitor
from shared.documents.profile import Profile
from shared.documents.visitor import Contribution

Browsers = Mapping[str, Browser]  # by the id of the visitor
Profiles = Mapping[str, Profile]  # by id


class ProfileInputs:
    """Reader of inputs, to be used after the profiles were read, so that a race is detected."""

    def __init__(self, store: Projections, people: PersonIds, bounds: ProfileLimits) -> None:
        self._store = store
        self._people = people
        self._bounds = bounds

    async def browsers(
        self, app: str, people: set[str], existing: Profiles, batch: Sequence[Browser]
    ) -> Browsers:
        """Return the batch's browsers, and the heads of the persons' other ones."""
        # A browser that another process adds to a person meanwhile isn't missed: its writer folds the
        # profile too, after this one, or makes this one repeat.
        found = {browser.visitor.id: browser for browser in batch}
        listed = {p: self._listed(app, profile) for p, profile in existing.items()}
        unproven = {p: self._hashed(app, d["unproven"]) for p, d in existing.items()}
        few, full = self._split_full(people, listed, found, unproven, self._bounds.browsers)
        found = self._as_browsers(await self._store.heads_of(few)) | found
        found |= self._as_browsers(await self._store.heads(_missing(full, listed, found)))
        operated = {p for browser in batch if browser.operated for p in browser.affected}
        for person in full:
            left = any(not _is_of_person(found.get(b), person) for b in listed[person])
            # A proof of a listed unproven browser frees an unproven place.
            left = left or any(found[b].has_proven(person) for b in unproven[person])
            if left or person in operated:
                others = await self._store.heads_of([person], self._bounds.read)
                chosen = choose_browsers(person, self._as_browsers(others).values(), self._bounds)
                found = {browser.visitor.id: browser for browser in chosen} | found
        return found

    async def wholes(
        self, chosen: Mapping[str, Sequence[Browser]], own: set[str]
    ) -> dict[str, Contribution]:
        """Return each person's contribution of its chosen browsers.

        `own` are browsers with whole documents at hand; the others are read one after another.
        """
        # Browser by browser in the order of their ids, whichever are at hand: bounded lists of orders
        # may end otherwise in another order.
        wholes: dict[str, Contribution] = {}
        people: dict[str, list[str]] = defaultdict(list)
        at_hand: dict[str, Browser] = {}
        for person, browsers in chosen.items():
            heads = (b for b in browsers if b.visitor.id not in own)
            wholes[person] = union(_contribution_of(person, head) for head in heads)
            for browser in browsers:
                people[browser.visitor.id].append(person)
                if browser.visitor.id in own:
                    at_hand[browser.visitor.id] = browser
        async for browser in self._whole_browsers(at_hand, people.keys() - at_hand.keys()):
            for person in people[browser.visitor.id]:
                wholes[person] = union([wholes[person], _contribution_of(person, browser)])
        return wholes

    async def _whole_browsers(
        self, at_hand: Mapping[str, Browser], others: Collection[str]
    ) -> AsyncIterator[Browser]:
        """Yield all of these browsers, sorted by the ids of their visitors."""
        waiting = sorted(at_hand, reverse=True)
        if others:
            async for visitor in self._store.each_visitor(others):
                while waiting and waiting[-1] < visitor.id:
                    yield at_hand[waiting.pop()]
                yield Browser(visitor, self._people)
        while waiting:
            yield at_hand[waiting.pop()]

    def _as_browsers(self, visitors: Mapping[str, Visitor]) -> dict[str, Browser]:
        return {name: Browser(visitor, self._people) for name, visitor in visitors.items()}

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


def _contribution_of(person: str, browser: Browser) -> Contribution:
    return join_epochs(epoch.contribution for epoch in browser.epochs_of(person))


def _is_of_person(browser: Browser | None, person: str) -> bool:
    return browser is not None and person in browser.visitor.persons


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
