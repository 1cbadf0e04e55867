"""Build a page: people are added until it is full."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from sender_service.models.campaign import Variant
from sender_service.models.push import Push
from sender_service.models.send import NEVER
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.models.sums import Sums, encode_sums
from sender_service.pages.document import ChunkDocument, PageDocument, new_chunk, page_id
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from sender_service.planner.policy import choose_variant, suppressions, unproven_players, why_absent
from sender_service.planner.send_plan import SendPlan as SendPlan  # re-exported
from sender_service.planner.target import Candidate, PlayerSelection
from shared.documents.profile import Profile
from shared.errors import Rejected
from shared.models.quiet_hours import own_zone
from shared.providers import DEFAULT_PROVIDER
from shared.reasons import FailedReason, SuppressedReason
from shared.texts import shorten

MAX_CHUNKS = 100  # calls a page: each answer writes all of its page's chunks, and bodies add up
# People without a known browser: most of some audiences. Planning is resumed after a page.
MAX_PLAYERLESS = 20_000
MAX_FAULTS = 100  # of a page: faults of texts, by member
MAX_FAULT = 200  # characters
PAGE_STEPS = 10_000_000  # of rendering, about a second: a planner that is killed loses no more
NO_CHUNK = ""  # of members that no call names


@dataclass
class PageBuilder:
    """Builder of one page. `seen`: players of earlier pages of this send."""

    plan: SendPlan
    n: int
    now: datetime
    seen: Container[str]
    members: list[list[str]] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    chunks: dict[str, ChunkDocument] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    no_player: int = 0
    no_zone: int = 0  # people whose quiet hours follow UTC: no other zone is known
    aliases: dict[str, list[str]] = field(default_factory=dict)  # of people with caps
    bad: int = 0
    cursor: Any = None
    capped: bool = False
    _begun_at: int = field(init=False)
    # Where they apply, a chunk's members share a time zone.
    _quiet: SendQuietHours | None = field(init=False)
    _filling: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    _keys: dict[tuple[int, str, str], tuple[Push, bytes]] = field(default_factory=dict)  # made once
    _here: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._begun_at = self.plan.renderer.allowance.spent
        self._quiet = self.plan.quiet_hours

    def add(self, candidate: Candidate) -> bool:
        """Add the person; return False when the page has no room for all of their new players.

        Raises SendTooDear.
        """
        selections = self._new_players(candidate)
        full = len(self.members) + len(selections) > self.plan.page_members
        full = full or len(self.chunks) >= MAX_CHUNKS
        full = full or self.plan.renderer.allowance.spent - self._begun_at >= PAGE_STEPS
        full = full and bool(self.members)
        if full or self.no_player >= MAX_PLAYERLESS:
            return False
        self.cursor = candidate.cursor
        if candidate.profile is None and candidate.player is None:
            self.no_player += 1
        elif candidate.profile is None or self._is_elsewhere(candidate):
            self._add_unknown(candidate)
        elif selections:
            self._add_person(candidate.profile, selections)
        elif candidate.first and not candidate.player_ids:
            self.no_player += 1
        return True

    def _new_players(self, candidate: Candidate) -> dict[str, PlayerSelection]:
        """Return the players that are new to the send, each with the first selection that covers it."""
        if candidate.profile is None:
            return {candidate.player: candidate.selections[0]} if candidate.player else {}
        names: dict[str | None, int] = {}
        for order, selection in enumerate(candidate.selections):
            names.setdefault(selection.player, order)
        selections: dict[str, PlayerSelection] = {}
        for player in candidate.player_ids:
            orders = [names[name] for name in (player, None) if name in names]
            if orders and player not in self.seen and player not in self._here:
                selections[player] = candidate.selections[min(orders)]
        return selections

    @staticmethod
    def _is_elsewhere(candidate: Candidate) -> bool:
        """Check whether the profile of the player's owner doesn't list it (yet, or any more)."""
        return candidate.player is not None and candidate.player not in candidate.player_ids

    def _add_unknown(self, candidate: Candidate) -> None:
        """Add a named player that no profile lists, with the reason why it gets nothing."""
        assert candidate.player is not None
        if candidate.player not in self.seen and candidate.player not in self._here:
            self._suppressed(candidate.player, "", why_absent(candidate.state))

    def _add_person(self, profile: Profile, selections: Mapping[str, PlayerSelection]) -> None:
        campaign, person = self.plan.campaign, profile["_id"]
        variant = choose_variant(person, campaign)
        suppressed = suppressions(
            profile,
            campaign,
            self.plan.send.created_at,
            transactional=self.plan.is_transactional,
            control_group=self.plan.of_app.control_group,
            withheld=self._withheld(variant, profile, selections),
        )
        zone = self._night_of(profile, selections.keys() - suppressed.keys())
        if self.plan.caps and profile["aliases"]:
            self.aliases[person] = profile["aliases"]
        self.plan.renderer.begin_person()
        providers = {p["id"]: p.get("provider", DEFAULT_PROVIDER) for p in profile["players"]}
        pushes: dict[int, Push | Rejected] = {}  # by id of the selection
        for player, selection in selections.items():
            if player in suppressed or providers[player] not in self.plan.chunk_members:
                self._suppressed(player, person, suppressed.get(player, "invalid"))
                continue
            push = pushes.get(id(selection))
            if push is None:
                push = pushes[id(selection)] = self._push(variant, profile, selection)
            if isinstance(push, Rejected):
                if len(self.faults) < MAX_FAULTS:
                    self.faults[str(len(self.members))] = shorten(push.message, MAX_FAULT)
                self._failed(player, person, "bad_variables")
            else:
                self._member(player, person, self._chunk(variant.id, push, zone, providers[player]))
        self.bad += any(isinstance(push, Rejected) for push in pushes.values())

    def _night_of(self, profile: Profile, reached: Collection[str]) -> str:
        """Return the zone of the person's quiet hours; "" where none apply."""
        quiet = self._quiet
        if quiet is None:
            return ""
        named = profile["timeZone"]
        if reached and quiet.of_app is None and own_zone(named) is None:
            self.no_zone += 1
        return quiet.zone_of(named)

    def _withheld(
        self, variant: Variant, profile: Profile, selections: Mapping[str, PlayerSelection]
    ) -> set[str]:
        """Return the unproven players that get no personal push.

        A push is personal when its texts read the profile. So is a transactional one that names the
        person rather than the browser.
        """
        unproven = unproven_players(profile)
        if not unproven or self.plan.renderer.reads_profile(variant):
            return unproven
        if not self.plan.is_transactional:
            return set()
        return {p for p in unproven if p in selections and selections[p].player is None}

    def _push(
        self, variant: Variant, profile: Profile, selection: PlayerSelection
    ) -> Push | Rejected:
        try:
            return self.plan.renderer.render(variant, profile, selection.variables)
        except Rejected as exc:
            return Rejected(exc.message, code=exc.code)

    def _suppressed(self, player: str, person: str, reason: SuppressedReason) -> None:
        self.outcomes[str(len(self.members))] = ["suppressed", reason]
        self._member(player, person, NO_CHUNK)

    def _failed(self, player: str, person: str, reason: FailedReason) -> None:
        self.outcomes[str(len(self.members))] = ["failed", reason]
        self._member(player, person, NO_CHUNK)

    def _member(self, player: str, person: str, chunk: str) -> None:
        self.members.append([player, person, chunk])
        self._here.add(player)

    @property
    def reached(self) -> dict[str, list[str]]:
        """Members without an outcome: person id → ids of people merged into them."""
        reached = (m[1] for i, m in enumerate(self.members) if str(i) not in self.outcomes)
        return {person: self.aliases.get(person, []) for person in reached}

    def suppress(self, people: Collection[str], reason: SuppressedReason) -> None:
        """Suppress these people's members that have no outcome yet."""
        for index, member in enumerate(self.members):
            if member[1] in people and str(index) not in self.outcomes:
                self.outcomes[str(index)] = ["suppressed", reason]

    def _chunk(self, variant: str, push: Push, zone: str, provider: str) -> str:
        """Return a chunk with room for this push; add one if there is none."""
        most = self.plan.chunk_members[provider]
        _, key = self._keys.get((id(push), zone, provider), (push, b""))
        if not key:
            key = orjson.dumps([variant, zone, provider, push], option=orjson.OPT_SORT_KEYS)
            self._keys[id(push), zone, provider] = push, key
        chunk, size = self._filling.get(key, (NO_CHUNK, most))
        if size >= most:
            chunk, size = str(len(self.pushes)), 0
            self.pushes.append(push)
            self.chunks[chunk] = new_chunk(variant, self.now, zone, provider)
        self._filling[key] = (chunk, size + 1)
        return chunk

    def page(self, next_cursor: Any) -> Page:
        """Return the page; it isn't due before the whole send is planned."""
        send = self.plan.send
        document: PageDocument = {
            "_id": page_id(send.id, self.n),
            "send": send.id,
            "app": send.app,
            "number": self.n,
            "priority": send.priority,
            "resumeAt": next_cursor,
            "members": self.members,
            "outcomes": self.outcomes,
            "faults": self.faults,
            "chunks": self.chunks,
            "notifications": [],
            "noPlayer": self.no_player,
            "capReserved": self.capped,
            "open": bool(self.chunks),
            "dueAt": NEVER,
            "inFlight": 0,
            "answerDueAt": NEVER,
            "anyAttempted": False,
            "sums": encode_sums(Sums()),
            "plannedAt": self.now,
            "bodiesId": "",
            "rev": 0,
            "expireAt": send.expire_at,
        }
        document["sums"] = encode_sums(summarise(document))
        return Page(document)
