"""Erase and undo travel as events, so that each service blanks what is its own (docs/design.md 4)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from sender_service.store.persons import PersonReader
from shared.clock import Clock
from shared.kafka.client import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC
from shared.models.event import ERASE, UNDO_MERGE, Event
from shared.mongo.client import Document
from shared.secrets import Vault

FEW = 50  # names that each of a person's events may carry
AT_ONCE = 500  # events published together, and names in one event
SHOWN = 1_000  # events whose ids are answered


class Writer(Protocol):
    """Publishes, or raises LogUnavailable."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> None: ...


class EventPublisher:
    """Events on their way to the log, some at a time; the first ones' ids are remembered."""

    def __init__(self, writer: Writer, at_once: int) -> None:
        self._writer = writer
        self._at_once = at_once
        self._waiting: list[Event] = []
        self.count = 0
        self.ids: list[str] = []

    async def add(self, event: Event) -> None:
        """Raises LogUnavailable."""
        self.count += 1
        if len(self.ids) < SHOWN:
            self.ids.append(event.id)
        self._waiting.append(event)
        if len(self._waiting) >= self._at_once:
            await self.publish()

    async def publish(self) -> None:
        """What is waiting. Raises LogUnavailable."""
        waiting, self._waiting = self._waiting, []
        await self._writer.publish(
            [OutgoingRecord(EVENTS_TOPIC.name, e.key, e.dump(), e.type) for e in waiting]
        )


class ErasureRequester:
    """Names in the events are person ids, which are keyed hashes, and keyed hashes of logins: the
    log keeps an event for 30 days, and must not learn from it what it is to forget."""

    def __init__(
        self,
        people: PersonReader,
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

    async def erase(self, profile: Document) -> EventPublisher:
        """One event for each visitor id of the person, and for the stand-in of each player, which an
        import would speak as. The first one asks ingest to look for browsers that aren't known yet.

        Each names all players and aliases where they are few. Where they are not, an event would be
        larger than the log takes: then players are named by their stand-ins' events, aliases by more
        events of the first visitor. Read and told in pieces; cut off between two, it is to be asked
        for again. Raises StoreUnavailable, LogUnavailable."""
        people, told = self._people, EventPublisher(self._writer, self._at_once)
        players = await _few(people.players_of(profile))
        aliases = await _few(people.aliases_of(profile))
        event = partial(self._erasure, profile, self._clock())
        first = ""
        async for visitor in people.visitors_of(profile):
            first = first or visitor
            is_first = told.count == 0
            await told.add(event(visitor, players or [], aliases or [], others=is_first))
        async for player in people.players_of(profile):
            is_first = told.count == 0
            stand_in = f"os:{player}"
            await told.add(event(stand_in, players or [player], aliases or [], others=is_first))
        if aliases is None:
            async for some in _some(people.aliases_of(profile), self._at_once):
                await told.add(event(first, [], some, others=False))
        await told.publish()
        return told

    def _erasure(
        self,
        profile: Document,
        now: datetime,
        visitor: str,
        players: list[str],
        aliases: list[str],
        *,
        others: bool,
    ) -> Event:
        login = profile.get("login")
        return self._event(profile, ERASE, visitor, now, {
            "person": profile["_id"], "players": players, "aliases": aliases, "others": others,
            "loginHash": self._vault.hash_key(login) if login else None,
        })  # fmt: skip

    async def undo(self, profile: Document, merge: Document) -> str:
        """Raises LogUnavailable."""
        told = EventPublisher(self._writer, self._at_once)
        data = {"person": profile["_id"], "merge": merge["_id"]}
        visitor = str(merge["visitor"])
        await told.add(self._event(profile, UNDO_MERGE, visitor, self._clock(), data))
        await told.publish()
        return told.ids[0]

    @staticmethod
    def _event(
        profile: Document, kind: str, visitor: str, now: datetime, data: dict[str, Any]
    ) -> Event:
        return Event(
            app=profile["app"], id=str(uuid.uuid4()), type=kind, source="ops",
            visitor_id=visitor, occurred_at=now, received_at=now, data=data,
        )  # fmt: skip


async def _few(names: AsyncIterator[str]) -> list[str] | None:
    """All of them, in order; None where they are more than an event may name."""
    async for some in _some(names, FEW + 1):
        return sorted(some) if len(some) <= FEW else None
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
