"""A page in the making: people are added until it is full."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from sender_service.models.campaign import Variant
from sender_service.models.quiet_hours import own_zone, zone_for
from sender_service.models.send import NEVER, empty_sums
from sender_service.pages.page import Chunk, Page, new_chunk, page_id, summarise
from sender_service.planner.page_plan import PagePlan as PagePlan  # others ask for it here
from sender_service.planner.policy import choose_variant, suppressions, unproven_players, why_absent
from sender_service.planner.rendering import Body
from sender_service.planner.target import Candidate, PlayerSelection
from shared.errors import Rejected
from shared.texts import shorten

MAX_CHUNKS = 100  # calls a page: each answer writes all of its page's chunks, and bodies add up
# People of whom no browser is known: most of some audiences, and planning goes on behind a page.
MAX_PLAYERLESS = 20_000
MAX_FAULTS = 100  # of a page: what was wrong with the texts of whom
MAX_FAULT = 200  # characters
PAGE_STEPS = 10_000_000  # of rendering, about a second: a planner that is killed loses no more
NO_CHUNK = ""  # of members that no call names


@dataclass
class PageBuilder:
    """One page. `seen`: players that earlier pages of this send hold already."""

    plan: PagePlan
    n: int
    now: datetime
    seen: Container[str]
    members: list[list[str]] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    chunks: dict[str, Chunk] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    no_player: int = 0
    no_zone: int = 0  # people whose night is UTC's, for nobody knows better
    aliases: dict[str, list[str]] = field(default_factory=dict)  # of people with caps
    bad: int = 0
    cursor: Any = None
    capped: bool = False
    _begun_at: int = field(init=False)
    _filling: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    _here: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._begun_at = self.plan.renderer.allowance.spent

    def add(self, candidate: Candidate) -> bool:
        """False when the person has no room here: all of a person's players are in one page.

        Raises SendTooDear.
        """
        wanted = self._wanted(candidate)
        full = len(self.members) + len(wanted) > self.plan.page_members
        full = full or len(self.chunks) >= MAX_CHUNKS
        full = full or self.plan.renderer.allowance.spent - self._begun_at >= PAGE_STEPS
        full = full and bool(self.members)
        if full or self.no_player >= MAX_PLAYERLESS:
            return False
        self.cursor = candidate.cursor
        if candidate.profile is None and candidate.player is None:
            self.no_player += 1
        elif candidate.profile is None or self._is_elsewhere(candidate, candidate.profile):
            self._add_unknown(candidate)
        elif wanted:
            self._add_person(candidate.profile, wanted)
        elif candidate.first and not candidate.profile["players"]:
            self.no_player += 1
        return True

    def _wanted(self, candidate: Candidate) -> dict[str, PlayerSelection]:
        """Its players that are new to the send, each with the first name that means it."""
        if candidate.profile is None:
            return {candidate.player: candidate.wants[0]} if candidate.player else {}
        names: dict[str | None, int] = {}
        for order, want in enumerate(candidate.wants):
            names.setdefault(want.player, order)
        wanted: dict[str, PlayerSelection] = {}
        for player in (p["id"] for p in candidate.profile["players"]):
            orders = [names[name] for name in (player, None) if name in names]
            if orders and player not in self.seen and player not in self._here:
                wanted[player] = candidate.wants[min(orders)]
        return wanted

    @staticmethod
    def _is_elsewhere(candidate: Candidate, profile: dict[str, Any]) -> bool:
        """The ledger names an owner whose profile doesn't list the player (yet, or any more)."""
        return candidate.player is not None and all(
            p["id"] != candidate.player for p in profile["players"]
        )

    def _add_unknown(self, candidate: Candidate) -> None:
        """A player id that was named, but that no profile lists: it can't get anything."""
        assert candidate.player is not None
        if candidate.player not in self.seen and candidate.player not in self._here:
            self._member(
                candidate.player, "", NO_CHUNK, ["suppressed", why_absent(candidate.state)]
            )

    def _add_person(self, profile: dict[str, Any], wanted: Mapping[str, PlayerSelection]) -> None:
        campaign, person = self.plan.campaign, profile["_id"]
        variant = choose_variant(person, campaign)
        passed_over = suppressions(
            profile,
            campaign,
            self.plan.send["createdAt"],
            transactional=self.plan.is_transactional,
            control_group=self.plan.of_app.control_group,
            withheld=self._withheld(variant, profile, wanted),
        )
        zone = self._night_of(profile, wanted.keys() - passed_over.keys())
        if self.plan.caps and profile.get("aliases"):
            self.aliases[person] = profile["aliases"]
        self.plan.renderer.begin_person()
        bodies: dict[int, Body | Rejected] = {}  # one a name
        for player, want in wanted.items():
            if player in passed_over:
                self._member(player, person, NO_CHUNK, ["suppressed", passed_over[player]])
                continue
            if id(want) not in bodies:
                bodies[id(want)] = self._body(variant, profile, want)
            body = bodies[id(want)]
            if isinstance(body, Rejected):
                if len(self.faults) < MAX_FAULTS:
                    self.faults[str(len(self.members))] = shorten(body.message, MAX_FAULT)
                self._member(player, person, NO_CHUNK, ["failed", "bad_variables"])
            else:
                self._member(player, person, self._chunk(variant.id, body, zone), None)
        self.bad += any(isinstance(body, Rejected) for body in bodies.values())

    def _night_of(self, profile: dict[str, Any], reached: Collection[str]) -> str:
        """Return the zone of the person's quiet hours; "" where none apply."""
        if not self._quiet:
            return ""
        named, of_app = profile.get("timeZone"), self.plan.of_app.time_zone
        if reached and own_zone(named) is None and of_app is None:
            self.no_zone += 1
        return zone_for(named, of_app)

    def _withheld(
        self, variant: Variant, profile: dict[str, Any], wanted: Mapping[str, PlayerSelection]
    ) -> set[str]:
        """Whom a push of the person's own doesn't go to: its texts read the profile, or it is a
        transactional one that names the person, not the browser."""
        unproven = unproven_players(profile)
        if not unproven or self.plan.renderer.reads_profile(variant):
            return unproven
        if not self.plan.is_transactional:
            return set()
        return {p for p in unproven if p in wanted and wanted[p].player is None}

    def _body(
        self, variant: Variant, profile: dict[str, Any], want: PlayerSelection
    ) -> Body | Rejected:
        try:
            return self.plan.renderer.body(variant, profile, want.variables)
        except Rejected as exc:
            return Rejected(exc.message, code=exc.code)

    def _member(self, player: str, person: str, chunk: str, outcome: list[str] | None) -> None:
        if outcome is not None:
            self.outcomes[str(len(self.members))] = outcome
        self.members.append([player, person, chunk])
        self._here.add(player)

    @property
    def _quiet(self) -> bool:
        """Do quiet hours apply? Then a chunk's members are of one time zone."""
        return self.plan.campaign.policy.quiet_hours is not None and not self.plan.is_transactional

    @property
    def reached(self) -> dict[str, list[str]]:
        """People who would get something, each with those that were merged into them."""
        reached = (m[1] for i, m in enumerate(self.members) if str(i) not in self.outcomes)
        return {person: self.aliases.get(person, []) for person in reached}

    def suppress(self, people: Collection[str], reason: str) -> None:
        """Nothing for these after all."""
        for index, member in enumerate(self.members):
            if member[1] in people and str(index) not in self.outcomes:
                self.outcomes[str(index)] = ["suppressed", reason]

    def _chunk(self, variant: str, body: Body, zone: str) -> str:
        """The chunk for this body that has room."""
        key = orjson.dumps([variant, zone, body], option=orjson.OPT_SORT_KEYS)
        chunk, size = self._filling.get(key, (NO_CHUNK, self.plan.chunk_members))
        if size >= self.plan.chunk_members:
            chunk, size = str(len(self.bodies)), 0
            self.bodies.append(body)
            self.chunks[chunk] = new_chunk(variant, self.now, zone)
        self._filling[key] = (chunk, size + 1)
        return chunk

    def page(self, next_cursor: Any) -> Page:
        """The document. Not due before the whole send is planned."""
        send = self.plan.send
        page: Page = {
            "_id": page_id(send["_id"], self.n),
            "send": send["_id"],
            "app": send["app"],
            "n": self.n,
            "priority": send["priority"],
            "next": next_cursor,
            "members": self.members,
            "outcomes": self.outcomes,
            "faults": self.faults,
            "chunks": self.chunks,
            "notifications": [],
            "noPlayer": self.no_player,
            "capped": self.capped,
            "open": bool(self.chunks),
            "due": NEVER,
            "out": 0,
            "silentAt": NEVER,
            "tried": False,
            "sums": empty_sums(),
            "plannedAt": self.now,
            "bodies": "",
            "rev": 0,
            "expireAt": send["expireAt"],
        }
        page["sums"] = summarise(page)
        return page
