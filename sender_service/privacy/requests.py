"""Erase and undo requests, published as events for both services (docs/design.md 4)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from sender_service.store.person_data import PersonDataReader
from shared.clock import Clock
from shared.documents.merge import Merge
from shared.documents.profile import Profile
from shared.events.payloads import ErasePayload, InternalPayload, UndoMergePayload
from shared.events.registry import ERASE, UNDO_MERGE
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC
from shared.models.event import Event
from shared.secrets import Vault

MAX_NAMES_BY_EVENT = 50  # names that each of a person's events may carry
AT_ONCE = 500  # events published together, and names in one event
MAX_IDS = 1_000  # events whose ids are answered


class Writer(Protocol):
    """Publishes records. Raises LogUnavailable."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> None: ...


class EventPublisher:
    """Publishes events in batches; keeps the ids of the first ones."""

    def __init__(self, writer: Writer, at_once: int) -> None:
        self._writer = writer
        self._at_once = at_once
        self._waiting: list[Event] = []
        self.count = 0
        self.ids: list[str] = []

    async def add(self, event: Event) -> None:
        """Add an event; publish a full batch. Raises LogUnavailable."""
        self.count += 1
        if len(self.ids) < MAX_IDS:
            self.ids.append(event.id)
        self._waiting.append(event)
        if len(self._waiting) >= self._at_once:
            await self.publish()

    async def publish(self) -> None:
        """Publish the waiting events. Raises LogUnavailable."""
        waiting, self._waiting = self._waiting, []
        await self._writer.publish(
            [OutgoingRecord(EVENTS_TOPIC.name, e.key, e.dump(), e.type) for e in waiting]
        )


class ErasureRequester:
    """Publishes erase and undo events.

    Events name people by person ids and by keyed hashes of logins only. The log keeps an event for
    30 days and must not reveal what it erases.
    """

    def __init__(
        self,
        people: PersonDataReader,
        writer: Writer,
        vault: Vault,
        clock: Clock,
        at_once: int = AT_ONCE,
    ) -> None:
        self._people = people
        self._writer = writer
        self._vault = vault
        self._clock = clock
        self._at_once = at_once

    async def erase(self, profile: Profile) -> EventPublisher:
        """Publish the erase events of a person; return their publisher.

        There is one event for each visitor id, and one for each player's stand-in, which imports
        use. The first one asks ingest to find unknown browsers.

        Each event names all players and aliases if they are few. Otherwise an event could exceed
        the log's limit. Then the stand-ins' events name the players, and more events of the first
        visitor name the aliases.

        Names are read and published in batches. If it is interrupted, it must be requested again.
        Raises StoreUnavailable, LogUnavailable.
        """
        people, publisher = self._people, EventPublisher(self._writer, self._at_once)
        players = await _few(people.players_of(profile))
        aliases = await _few(people.aliases_of(profile))
        event = partial(self._erasure, profile, self._clock())
        first = ""
        async for visitor in people.visitors_of(profile):
            first = first or visitor
            is_first = publisher.count == 0
            await publisher.add(event(visitor, players or [], aliases or [], find_others=is_first))
        async for player in people.players_of(profile):
            is_first = publisher.count == 0
            stand_in = f"os:{player}"
            await publisher.add(
                event(stand_in, players or [player], aliases or [], find_others=is_first)
            )
        if aliases is None:
            async for some in _some(people.aliases_of(profile), self._at_once):
                await publisher.add(event(first, [], some, find_others=False))
        await publisher.publish()
        return publisher

    def _erasure(
        self,
        profile: Profile,
        now: datetime,
        visitor: str,
        players: list[str],
        aliases: list[str],
        *,
        find_others: bool,
    ) -> Event:
        login = profile["login"]
        payload = ErasePayload(
            person=profile["_id"], players=players, aliases=aliases, find_others=find_others,
            login_hash=self._vault.hash_key(login) if login else None,
        )  # fmt: skip
        return self._event(profile, ERASE, visitor, now, payload)

    async def undo(self, profile: Profile, merge: Merge) -> str:
        """Publish the undo of a merge; return the event's id. Raises LogUnavailable."""
        publisher = EventPublisher(self._writer, self._at_once)
        payload = UndoMergePayload(person=profile["_id"], merge=merge["_id"])
        visitor, now = merge["visitor"], self._clock()
        await publisher.add(self._event(profile, UNDO_MERGE, visitor, now, payload))
        await publisher.publish()
        return publisher.ids[0]

    @staticmethod
    def _event(
        profile: Profile, kind: str, visitor: str, now: datetime, payload: InternalPayload
    ) -> Event:
        return Event(
            app=profile["app"], id=str(uuid.uuid4()), type=kind, source="ops",
            visitor_id=visitor, occurred_at=now, received_at=now, data=payload.data(),
        )  # fmt: skip


async def _few(names: AsyncIterator[str]) -> list[str] | None:
    """Return all names, sorted; None if they are more than an event may name."""
    async for some in _some(names, MAX_NAMES_BY_EVENT + 1):
        return sorted(some) if len(some) <= MAX_NAMES_BY_EVENT else None
    return []


async def _some(names: AsyncIterator[str], size: int) -> AsyncIterator[list[str]]:
    some: list[str] = []
    async for name in names:
        some.append(name)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some
