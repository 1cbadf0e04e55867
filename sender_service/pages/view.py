"""Reading of a page: its members, their chunks and outcomes. Pure.

A member's outcome is its own where it has one, else its chunk's: so what is written is in proportion
to the exceptions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sender_service.models.scenario.run import ItemClaim
from sender_service.models.sums import Sums, decode_sums
from sender_service.pages.chunk import Chunk
from sender_service.pages.document import Member, MemberState, PageDocument
from shared.priority import Priority
from shared.reasons import FailedReason, FinalReason, NotApplicable


class PageView:
    """Object on a page's document, which may lack fields that aren't read. `chunks` is read only."""

    __slots__ = ("_index", "chunks", "document")

    def __init__(self, document: PageDocument) -> None:
        self.document = document
        self.chunks = {name: Chunk(of) for name, of in document["chunks"].items()}
        self._index: dict[str, int] | None = None

    @property
    def id(self) -> str:
        return self.document["_id"]

    @property
    def send(self) -> str:
        return self.document["send"]

    @property
    def app(self) -> str:
        return self.document["app"]

    @property
    def number(self) -> int:
        return self.document["number"]

    @property
    def priority(self) -> Priority:
        return self.document["priority"]

    @property
    def is_open(self) -> bool:
        return self.document["open"]

    @property
    def has_reserved_caps(self) -> bool:
        """Return whether its people were counted against a cap."""
        return self.document["capReserved"]

    @property
    def notifications(self) -> Sequence[str]:
        return self.document["notifications"]

    @property
    def planned_at(self) -> datetime:
        return self.document["plannedAt"]

    @property
    def expire_at(self) -> datetime:
        return self.document["expireAt"]

    @property
    def bodies_id(self) -> str:
        """Return the id of its bodies' document; "" before they are inserted."""
        return self.document["bodiesId"]

    @property
    def sums(self) -> Sums:
        return decode_sums(self.document["sums"])

    @property
    def members(self) -> Sequence[Member]:
        """Members as stored: player, person, chunk."""
        return self.document["members"]

    def player(self, index: int) -> str:
        return self.document["members"][index][0]

    def person(self, index: int) -> str:
        return self.document["members"][index][1]

    def chunk_name(self, index: int) -> str:
        """Return the name of the member's chunk; "" if no call names it."""
        return self.document["members"][index][2]

    def chunk_of(self, index: int) -> Chunk | None:
        return self.chunks.get(self.document["members"][index][2])

    def fault(self, index: int) -> str | None:
        """Return what is wrong with the text of a member that it doesn't render for."""
        return self.document.get("faults", {}).get(str(index))

    @property
    def first_fault(self) -> str:
        return next(iter(self.document.get("faults", {}).values()), "")

    @property
    def refused(self) -> Mapping[str, int]:
        """Return whom the clock didn't enter, by reason: people between this page and the one before."""
        return self.document.get("refused", {})

    def index_of(self, player: str) -> int | None:
        if self._index is None:
            self._index = {member[0]: i for i, member in enumerate(self.document["members"])}
        return self._index.get(player)

    def has_own_outcome(self, index: int) -> bool:
        return str(index) in self.document["outcomes"]

    def outcome(self, index: int) -> tuple[MemberState, FinalReason | None]:
        own = self.document["outcomes"].get(str(index))
        if own is not None:
            return own[0], own[1] or None
        return self.chunks[self.document["members"][index][2]].outcome

    def detail(self, index: int) -> NotApplicable | None:
        """Return why a scenario's push isn't applicable to the member; None for other outcomes."""
        own = self.document["outcomes"].get(str(index), ())
        return own[2] if len(own) > 2 else None

    def about(self, index: int) -> tuple[ItemClaim, ...]:
        """Return the items that a scenario's push to the member is about."""
        claims = self.document.get("about", {}).get(str(index), ())
        return tuple(ItemClaim(item=item, price=price) for item, price in claims)

    def shows_prices(self, chunk: str) -> bool:
        """Return whether a push of the chunk shows a price that may change."""
        about = self.document.get("about")
        return about is not None and any(
            price is not None
            for index in self.pending(chunk)
            for _, price in about.get(str(index), ())
        )

    def pending(self, chunk: str) -> list[int]:
        """Return the indexes of the members in a call for this chunk."""
        own = self.document["outcomes"]
        return [
            index
            for index, member in enumerate(self.document["members"])
            if member[2] == chunk and str(index) not in own
        ]

    def pending_players(self, chunk: str) -> list[str]:
        """Return the players that a call for this chunk names."""
        members = self.document["members"]
        return [members[index][0] for index in self.pending(chunk)]

    def counts(self, chunks: Collection[str]) -> dict[str, int]:
        """Count the members without an outcome of their own, by chunk."""
        counts, own = dict.fromkeys(chunks, 0), self.document["outcomes"]
        for index, member in enumerate(self.document["members"]):
            if member[2] in counts and str(index) not in own:
                counts[member[2]] += 1
        return counts

    def members_in(self, chunks: Collection[str]) -> Iterator[int]:
        """Yield the indexes of all members of these chunks."""
        members = self.document["members"]
        return (index for index, member in enumerate(members) if member[2] in chunks)

    @property
    def players(self) -> set[str]:
        return {member[0] for member in self.document["members"]}

    @property
    def people(self) -> set[str]:
        """Persons of the members; "" stands for members without one."""
        return {member[1] for member in self.document["members"]}

    @property
    def unsent_people(self) -> list[str]:
        """People whose players all got nothing from the page."""
        # Another page may have sent to them: a player with a new owner moves to a later page.
        sent: dict[str, bool] = {}
        for index, member in enumerate(self.document["members"]):
            if not member[2]:
                continue
            got = self.outcome(index)[0] == "sent"
            sent[member[1]] = sent.get(member[1], False) or got
        return [person for person, got in sent.items() if not got and person]

    def people_failed(self, reason: FailedReason) -> set[str]:
        """Return the people with a player that failed by its own outcome for this reason."""
        members, own = self.document["members"], self.document["outcomes"]
        return {members[int(index)][1] for index, ending in own.items() if ending[1] == reason}
