"""Late erasures: of browsers that the operator couldn't name, since they were found afterwards.

Their events were still on the log, in a spool, or in an import. An erasure leaves a tombstone for its
person. A browser with older data of that person gets an erasure of its own, as an event on the log. So
it has its place in that browser's order, and a replay does the same. Each side
writes first and reads then (the tombstone, and the browsers; the browser, and the tombstones), so the
later one finds the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from ingest_service.projector.browser import Browser
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import NOBODY, LedgerEntry
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import STAND_IN
from shared.documents.merge import Tombstone
from shared.events.payloads import ErasePayload, IdentifyPayload, ImportPayload
from shared.events.registry import ERASE, IDENTIFY, IMPORT, payload_of
from shared.ids import derived_id
from shared.models.event import Event

Publish = Callable[[Sequence[Event]], Awaitable[None]]  # raises LogUnavailable


class LateErasures:
    """Publisher of late erasures. Without `publish` (in a replay) it only saves tombstones."""

    def __init__(
        self, store: Projections, people: PersonIds, publish: Publish | None, batch_size: int
    ) -> None:
        # In a replay the events that follow are on the log already.
        self._store = store
        self._people = people
        self._publish = publish
        self._batch_size = batch_size

    async def propagate(
        self,
        events: Sequence[Event],
        browsers: Mapping[str, Browser],
        players: Mapping[str, LedgerEntry],
    ) -> None:
        """Save tombstones and publish late erasures, after the batch's browsers are written.

        `browsers` is by the id of the visitor; `players` are theirs, as they were before the batch.
        Raises Unavailable.
        """
        erasures = [event for event in events if event.type == ERASE]
        await self._store.save_tombstones([_tombstone(event) for event in erasures])
        if self._publish is None:
            return
        derived: list[Event] = []
        for event in erasures:
            derived += self._derive_for_stand_ins(event, browsers[self._name(event)], players)
            if payload_of(event, ErasePayload).find_others:
                await self._publish_others(event, self._publish)
        derived += await self._derive_for_late(events, browsers)
        if derived:
            await self._publish(list({event.id: event for event in derived}.values()))

    async def _publish_others(self, event: Event, publish: Publish) -> None:
        """Publish erasures of the person's other browsers, in batches as they are read."""
        # After a crash between two batches all are published again, under the same ids.
        tombstone = _tombstone(event)
        derived: list[Event] = []
        async for head in self._store.browsers_of_person(tombstone["_id"]):
            derived += _derive_for_browser(tombstone, Browser(head, self._people))
            if len(derived) >= self._batch_size:
                await publish(derived)
                derived = []
        if derived:
            await publish(derived)

    async def _derive_for_late(
        self, events: Sequence[Event], browsers: Mapping[str, Browser]
    ) -> list[Event]:
        joined: dict[str, set[str]] = {}
        for event in events:
            login = _login(event)
            if login:
                person = self._people.of_login(event.app, login)
                joined.setdefault(person, set()).add(self._name(event))
        tombstones = await self._store.tombstones(joined)
        return [
            e
            for person, tombstone in tombstones.items()
            for name in sorted(joined[person])
            for e in _derive_for_browser(tombstone, browsers[name])
        ]

    def _derive_for_stand_ins(
        self, event: Event, browser: Browser, known: Mapping[str, LedgerEntry]
    ) -> list[Event]:
        """Derive erasures of stand-ins for players that the operator didn't name.

        Each names its player to the sender, unless that is another person's.
        """
        # An export from before the erasure may have these players.
        if str(event.visitor_id).startswith(STAND_IN):
            return []
        erased = {player.id for player in browser.erased_players()}
        unnamed = sorted(erased.difference(payload_of(event, ErasePayload).players))
        # Any page can report a player that it has read of. NOBODY: erased, before a crash of this batch.
        theirs, tombstone = {NOBODY, *browser.erased_persons()}, _tombstone(event)
        return [
            _erasure(
                tombstone,
                f"{STAND_IN}{player}",
                players=[player] if player not in known or known[player].person in theirs else [],
            )
            for player in unnamed
        ]

    def _name(self, event: Event) -> str:
        return self._people.of_browser(event.app, str(event.visitor_id))


def _derive_for_browser(tombstone: Tombstone, browser: Browser) -> list[Event]:
    person, at, visitor_id = tombstone["_id"], tombstone["at"], browser.visitor.visitor_id
    older = [e for e in browser.epochs_of(person) if e.contribution.get("firstSeenAt", at) <= at]
    if visitor_id is None or not older:
        return []
    # The sender knows persons only by events: what named the browser before its login is found by these.
    aliases = {epoch.anonymous_id for epoch in older if epoch.anonymous_id} - {person}
    return [_erasure(tombstone, visitor_id, aliases=aliases)]


def _login(event: Event) -> str | None:
    """Return the login that an event brings to its browser."""
    if event.login is not None:
        return event.login
    if event.type == IDENTIFY:
        return payload_of(event, IdentifyPayload).get("login")
    return payload_of(event, ImportPayload).login if event.type == IMPORT else None


def _tombstone(event: Event) -> Tombstone:
    payload = payload_of(event, ErasePayload)
    return {
        "_id": payload.person, "app": event.app, "at": event.occurred_at,
        "loginHash": payload.login_hash,
    }  # fmt: skip


def _erasure(
    tombstone: Tombstone, visitor: str, *, players: Iterable[str] = (), aliases: Iterable[str] = ()
) -> Event:
    """Return the late erasure of a visitor; its id is the same each time."""
    app, person, at = tombstone["app"], tombstone["_id"], tombstone["at"]
    payload = ErasePayload(
        person=person, players=sorted(players), aliases=sorted(aliases), late=True,
        login_hash=tombstone["loginHash"],
    )  # fmt: skip
    return Event(
        app=app, id=derived_id("erase", app, person, at.isoformat(), visitor), type=ERASE,
        source="ops", visitor_id=visitor, occurred_at=at, received_at=at,
        data=payload.data(),
    )  # fmt: skip
