"""Recheck members before a release: their state may have changed since planning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.policy import has_bought
from sender_service.models.send import SendOverview
from sender_service.pages.page import Page
from sender_service.pages.transitions import policy_of, suppress_buyers, suppress_unreachable
from sender_service.scenarios.fired_send import FiredSend, Knowledge, Looks
from sender_service.scheduler.scenario_recheck import look_before_release
from sender_service.store.people import CHANGES_OVERLAP, PeopleReader
from shared.documents.profile import Profile

MAX_LOOKED_UP_BY_ID = 200  # up to so many are looked up by id; of more, only changes are read


@dataclass(frozen=True, slots=True)
class Recheck:
    """Recheck of chunks before their release.

    `looks`: at people of scenarios; `knowledge`: whether what is known of people is too old for them.
    """

    people: PeopleReader
    looks: Looks | None
    knowledge: Knowledge | None = None

    async def rests(self, send: SendOverview, now: datetime) -> bool:
        """Return whether a scenario's send waits: what is known may lack why nobody should get it."""
        if send.scenario is None or self.looks is None or self.knowledge is None:
            return False
        if now >= send.expires_at or await self.knowledge.why_old(now) is None:
            return False
        rests = await self.looks.needs_knowledge(FiredSend(send.id, send.app, send.scenario))
        if rests:
            self.knowledge.note_rest()
        return rests

    async def recheck(
        self, page: Page, chunks: Sequence[str], send: SendOverview, now: datetime
    ) -> list[str]:
        """Suppress members who can't or shouldn't get the push now; return the chunks left.

        Raises StoreUnavailable.
        """
        if not chunks:
            return []
        merged = await _suppress_moved(self.people, page, chunks)
        await _suppress_buyers(self.people, page, chunks, send, merged)
        if send.scenario is not None and self.looks is not None:
            fired = FiredSend(send.id, send.app, send.scenario)
            await look_before_release(self.looks, page, chunks, fired, now)
        counts = page.counts(chunks)
        for name in chunks:
            if not counts[name]:  # all of its members have outcomes of their own by now
                page.suppress_chunk(name, "unsubscribed", now)
        return [name for name in chunks if page.chunks[name].is_due(now)]


async def _suppress_moved(
    people: PeopleReader, page: Page, chunks: Sequence[str]
) -> dict[str, Profile]:
    """Suppress moved and unreachable players; return profiles by person id from before a merge."""
    players = [page.player(index) for index in page.members_in(chunks)]
    ledger = None
    if len(players) > MAX_LOOKED_UP_BY_ID:
        ledger = await people.changed_since(page.app, page.planned_at - CHANGES_OVERLAP)
    if ledger is None:
        ledger = await people.ledger(page.app, players)
    indexes = {p: page.index_of(p) for p in suppress_unreachable(page, set(chunks), ledger)}
    moved = {player: index for player, index in indexes.items() if index is not None}
    if not moved:
        return {}
    # Whom a person was merged into: a profile of many browsers doesn't name all that it took in.
    heirs = await people.heirs(page.app, {page.person(index) for index in moved.values()})
    owners = await people.by_players(page.app, list(moved))
    merged: dict[str, Profile] = {}
    for player, index in moved.items():
        person, owner = page.person(index), ledger[player]["person"]
        if heirs.get(person) != owner:
            page.suppress(index, "moved")
        elif player in owners:
            merged[person] = owners[player]
    return merged


async def _suppress_buyers(
    people: PeopleReader,
    page: Page,
    chunks: Sequence[str],
    send: SendOverview,
    merged: Mapping[str, Profile],
) -> None:
    since = policy_of(send).bought_since(send.created_at)
    if since is None:
        return
    persons = sorted({page.person(index) for index in page.members_in(chunks)})
    changed = None
    if len(persons) > MAX_LOOKED_UP_BY_ID:
        changed = await people.profiles_since(page.app, page.planned_at - CHANGES_OVERLAP)
    if changed is None:
        changed = await people.profiles(page.app, persons)
    buyers = {
        person for person, profile in {**changed, **merged}.items() if has_bought(profile, since)
    }
    suppress_buyers(page, chunks, buyers)
