"""Build a page: people are added until it is full."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sender_service.models.campaign import Variant
from sender_service.models.push import Push
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.send import NEVER
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.models.sums import Sums, encode_sums
from sender_service.pages.document import END, ChunkDocument, PageDocument, page_id
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from sender_service.planner.page_chunks import NO_CHUNK, PageChunks
from sender_service.planner.page_looks import PageLooks
from sender_service.planner.policy import choose_variant, suppressions, why_absent, withheld_players
from sender_service.planner.send_plan import SendPlan as SendPlan  # re-exported
from sender_service.planner.target import Candidate, PlayerSelection
from shared.documents.profile import Profile
from shared.errors import Rejected
from shared.models.quiet_hours import own_zone
from shared.providers import DEFAULT_PROVIDER
from shared.reasons import NotApplicable, SuppressedReason
from shared.texts import shorten

MAX_CHUNKS = 100  # calls a page: each answer writes all of its page's chunks, and bodies add up
# People without a known browser: most of some audiences. Planning is resumed after a page.
MAX_PLAYERLESS = 20_000
MAX_FAULTS = 100  # of a page: faults of texts, by member
MAX_FAULT = 200  # characters
NO_PLAYERS: Mapping[str, SuppressedReason] = {}
ITEM_VARIABLES = frozenset({"item", "items"})  # of a choice (docs/scenarios.md)
PAGE_STEPS = 10_000_000  # of rendering, about a second: a planner that is killed loses no more


@dataclass
class PageBuilder:
    """Builder of one page. `seen`: players of earlier pages of this send."""

    plan: SendPlan
    n: int
    now: datetime
    seen: Container[str]
    members: list[list[str]] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    looks: PageLooks = field(default_factory=PageLooks)
    no_player: int = 0
    no_zone: int = 0  # people whose quiet hours follow UTC: no other zone is known
    aliases: dict[str, list[str]] = field(default_factory=dict)  # of people with caps
    bad: int = 0
    cursor: Any = None
    capped: bool = False
    _begun_at: int = field(init=False)
    _quiet: SendQuietHours | None = field(init=False)  # a chunk's members share a zone then
    _calls: PageChunks = field(init=False)
    _here: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._begun_at = self.plan.renderer.allowance.spent
        self._quiet = self.plan.quiet_hours
        self._calls = PageChunks(self.plan.chunk_members, self.now)

    @property
    def chunks(self) -> dict[str, ChunkDocument]:
        return self._calls.chunks

    @property
    def pushes(self) -> list[Push]:
        """Pushes of the chunks, in their order."""
        return self._calls.pushes

    def add(self, candidate: Candidate) -> bool:
        """Add the person; return False when the page has no room for all of their new players.

        Raises SendTooDear.
        """
        selections = candidate.new_players(self.seen, self._here)
        full = len(self.members) + len(selections) > self.plan.page_members
        full = full or len(self.chunks) >= MAX_CHUNKS
        full = full or self.plan.renderer.allowance.spent - self._begun_at >= PAGE_STEPS
        full = full and bool(self.members)
        if full or self.no_player >= MAX_PLAYERLESS:
            return False
        self.cursor = candidate.cursor
        if not self.looks.take(candidate.look, is_counted=candidate.cursor != END):
            return True
        if candidate.profile is None and candidate.player is None:
            self.no_player += 1
        elif candidate.profile is None or candidate.is_elsewhere:
            self._add_unknown(candidate)
        elif selections:
            self._add_person(candidate, selections)
        elif candidate.first and not candidate.player_ids:
            self.no_player += 1
        return True

    def _add_unknown(self, candidate: Candidate) -> None:
        """Add a named player that no profile lists, with the reason why it gets nothing."""
        assert candidate.player is not None
        if candidate.player not in self.seen and candidate.player not in self._here:
            self._suppressed(candidate.player, "", why_absent(candidate.state))

    def _add_person(self, candidate: Candidate, selections: Mapping[str, PlayerSelection]) -> None:
        profile, look = candidate.profile, candidate.look
        assert profile is not None
        campaign, person = self.plan.campaign, profile["_id"]
        variant = choose_variant(person, campaign)
        suppressed = suppressions(
            profile,
            campaign,
            self.plan.send.created_at,
            transactional=self.plan.is_transactional,
            control_group=self.plan.of_app.control_group,
            withheld=self._withheld(variant, candidate, selections),
        )
        zone = self._night_of(profile, selections.keys() - suppressed.keys())
        if self.plan.caps and profile["aliases"]:
            self.aliases[person] = profile["aliases"]
        self.plan.renderer.begin_person()
        providers = {p["id"]: p.get("provider", DEFAULT_PROVIDER) for p in profile["players"]}
        pushes: dict[int, Push | Rejected] = {}  # by id of the selection
        for player, selection in selections.items():
            if player in suppressed or providers[player] not in self.plan.chunk_members:
                self._suppressed(player, person, suppressed.get(player, "invalid"), look)
                continue
            push = pushes.get(id(selection))
            if push is None:
                push = pushes[id(selection)] = self._push(variant, profile, selection)
            if isinstance(push, Rejected):
                self._failed(player, person, push)
            else:
                reads, place = self.plan.renderer.reads, len(self.members)
                claims = (
                    self.looks.note_claims(place, look, shows=reads(variant, ITEM_VARIABLES))
                    if look and look.about
                    else ()
                )
                chunk = self._calls.add(variant.id, push, zone, providers[player], claims)
                self._member(player, person, chunk)
        self.bad += any(isinstance(push, Rejected) for push in pushes.values())

    def _withheld(
        self, variant: Variant, candidate: Candidate, selections: Mapping[str, PlayerSelection]
    ) -> Mapping[str, SuppressedReason]:
        if candidate.look is None and not (candidate.profile and candidate.profile["proven"]):
            return NO_PLAYERS  # mostly
        return withheld_players(
            candidate,
            selections,
            is_personal=self.plan.renderer.reads_profile(variant),
            is_marketing=self.plan.send.priority == "marketing",
        )

    def _night_of(self, profile: Profile, reached: Collection[str]) -> str:
        """Return the zone of the person's quiet hours; "" where none apply."""
        quiet = self._quiet
        if quiet is None:
            return ""
        named = profile["timeZone"]
        if reached and quiet.of_app is None and own_zone(named) is None:
            self.no_zone += 1
        return quiet.zone_of(named)

    def _push(
        self, variant: Variant, profile: Profile, selection: PlayerSelection
    ) -> Push | Rejected:
        try:
            return self.plan.renderer.render(variant, profile, selection.variables)
        except Rejected as exc:
            return Rejected(exc.message, code=exc.code)

    def _suppressed(
        self,
        player: str,
        person: str,
        reason: SuppressedReason,
        look: PushLook | None = None,
    ) -> None:
        detail = look.why_not if look is not None and reason == "not_applicable" else None
        ending = ["suppressed", reason]
        self.outcomes[str(len(self.members))] = [*ending, detail] if detail else ending
        self._member(player, person, NO_CHUNK)

    def _failed(self, player: str, person: str, fault: Rejected) -> None:
        """Add a member whose texts don't render."""
        if len(self.faults) < MAX_FAULTS:
            self.faults[str(len(self.members))] = shorten(fault.message, MAX_FAULT)
        self.outcomes[str(len(self.members))] = ["failed", "bad_variables"]
        self._member(player, person, NO_CHUNK)

    def _member(self, player: str, person: str, chunk: str) -> None:
        self.members.append([player, person, chunk])
        self._here.add(player)

    @property
    def reached(self) -> dict[str, list[str]]:
        """Members without an outcome: person id → ids of people merged into them."""
        reached = (m[1] for i, m in enumerate(self.members) if str(i) not in self.outcomes)
        return {person: self.aliases.get(person, []) for person in reached}

    def suppress(
        self, people: Collection[str], reason: SuppressedReason, *detail: NotApplicable
    ) -> None:
        """Suppress these people's members that have no outcome yet."""
        for index, member in enumerate(self.members):
            if member[1] in people and str(index) not in self.outcomes:
                self.outcomes[str(index)] = ["suppressed", reason, *detail]

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
        self.looks.write(document)
        document["sums"] = encode_sums(summarise(document))
        return Page(document)
