"""Resolve a list of names to people, each at their first name with the selections of all names.

So all of a person's players are in one page, even when the list names them far apart.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sender_service.models.recipient import Recipient
from sender_service.planner.target import (
    Batch,
    Candidate,
    Cursor,
    NamesUnknown,
    PlayerSelection,
    Target,
)
from sender_service.planner.text_index import TextIndex
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader, ids_of
from shared.documents.player import Player
from shared.documents.profile import Profile

LINES_A_READ = 100
Address = tuple[str, str]


class RecipientIndex:
    """Positions of a list's names; of equal names the first counts. A name takes 24 to 48 bytes."""

    def __init__(self) -> None:
        self._positions = TextIndex()
        self._parts = array("I")  # number of names before each part
        self._count = 0

    def add_part(self, names: Sequence[Recipient]) -> None:
        self._parts.append(self._count)
        for position, name in enumerate(names, self._count):
            # The lowest bit: 1 when the name has variables.
            self._positions.note(_text(name.address), position << 1 | bool(name.variables))
        self._count += len(names)

    def at(self, part: int, index: int) -> int:
        """Return the position over all parts."""
        return self._parts[part] + index

    def position(self, address: Address) -> int | None:
        number = self._positions.number(_text(address))
        return None if number is None else number >> 1

    def has_variables(self, address: Address) -> bool:
        return bool((self._positions.number(_text(address)) or 0) & 1)

    def part_of(self, position: int) -> tuple[int, int]:
        """Return the part and the index in it."""
        part = bisect_right(self._parts, position) - 1
        return part, position - self._parts[part]

    def names_of(self, profile: Profile) -> list[tuple[int, Address]]:
        """Return the positions and addresses of all names of this person, in order."""
        addresses: list[Address] = [("player", player["id"]) for player in profile["players"]]
        addresses += [("visitor", visitor) for visitor in profile["visitors"]]
        addresses += [("person", person) for person in ids_of(profile)]
        if profile["login"]:
            addresses.append(("login", profile["login"]))
        positions = [(self.position(address), address) for address in addresses]
        return sorted(
            (position, address) for position, address in positions if position is not None
        )


def _text(address: Address) -> str:
    return "\x1f".join(address)


@dataclass(frozen=True)
class ResolvedRecipient:
    """Name of the list with its person, if one is known.

    `first`: no earlier name means the same person. `later`: further names of the person, given at the
    first one. `state`: the ledger's, of a named player.
    """

    name: Recipient
    profile: Profile | None
    first: bool = True
    later: Sequence[Address] = ()
    state: str | None = None

    def placed(self, listed: RecipientIndex, here: int) -> ResolvedRecipient:
        """Return a copy with `first` and `later` set, for the name at position `here`."""
        names = [] if self.profile is None else listed.names_of(self.profile)
        if any(position < here for position, _ in names):
            return replace(self, first=False)
        return replace(self, later=[address for position, address in names if position > here])

    def candidate(self, cursor: Cursor, own: Mapping[Address, dict[str, Any]]) -> Candidate:
        """Return the candidate. `own`: variables of later names, by address."""
        selections = [PlayerSelection(self.name.player, self.name.variables)]
        selections += [
            PlayerSelection(a[1] if a[0] == "player" else None, own.get(a, {})) for a in self.later
        ]
        persons = tuple(id for kind, id in (self.name.address, *self.later) if kind == "person")
        return Candidate(cursor, self.profile, tuple(selections), self.first, self.state, persons)


class ListReader:
    """Reader of listed people. Raises StoreUnavailable, and NamesUnknown where a list can be postponed."""

    def __init__(self, people: PeopleReader, parts: PartStore) -> None:
        self._people = people
        self._parts = parts

    async def batches(self, target: Target, after: Cursor) -> AsyncGenerator[Batch, None]:
        """Yield the list's people after the cursor `after` (None: from the start)."""
        # The list is read twice: all names of a person must be known at the first one.
        listed, total = RecipientIndex(), len(target.parts) or 1
        for part in range(total):
            listed.add_part(await self._names(target, part))
            yield Batch([], 0.0)
        begin = tuple(after or (0, 0))
        for part in range(begin[0], total):
            names = await self._names(target, part)
            fresh = [
                (index, name)
                for index, name in enumerate(names)
                if (part, index) >= begin
                and listed.position(name.address) == listed.at(part, index)
            ]
            for batch in _in_chunks(fresh, LINES_A_READ):
                share = (part + (batch[-1][0] + 1) / len(names)) / total
                yield Batch(await self._people_of(target, listed, part, batch), share)
        yield Batch([], 1.0)

    async def _names(self, target: Target, part: int) -> Sequence[Recipient]:
        if target.names is not None:
            return target.names
        return [
            Recipient.model_validate(r) for r in await self._parts.recipients(target.parts[part])
        ]

    async def _people_of(
        self,
        target: Target,
        listed: RecipientIndex,
        part: int,
        batch: Sequence[tuple[int, Recipient]],
    ) -> list[Candidate]:
        found = await resolve(self._people, target.app, [name for _, name in batch])
        placed = [
            (index, named.placed(listed, listed.at(part, index)))
            for (index, _), named in zip(batch, found, strict=True)
        ]
        own = await self._variables(target, listed, [a for _, named in placed for a in named.later])
        candidates = [named.candidate([part, index + 1], own) for index, named in placed]
        if target.can_postpone and any(one.is_unknown for one in candidates):
            raise NamesUnknown
        return candidates

    async def _variables(
        self, target: Target, listed: RecipientIndex, addresses: Sequence[Address]
    ) -> dict[Address, dict[str, Any]]:
        """Return the variables of names in any part; each part is read at most once."""
        by_part: dict[int, list[tuple[int, Address]]] = {}
        for address in addresses:
            position = listed.position(address) if listed.has_variables(address) else None
            if position is not None:
                part, index = listed.part_of(position)
                by_part.setdefault(part, []).append((index, address))
        found = {}
        for part, positions in by_part.items():
            names = await self._names(target, part)
            for index, address in positions:
                if names[index].address == address:  # positions are found by a hash
                    found[address] = names[index].variables
        return found


def resolve_list(found: Sequence[ResolvedRecipient]) -> list[Candidate]:
    """Return the candidates of a whole list."""
    listed = RecipientIndex()
    listed.add_part([named.name for named in found])
    own = {named.name.address: named.name.variables for named in reversed(found)}
    return [
        named.placed(listed, index).candidate([0, index + 1], own)
        for index, named in enumerate(found)
        if listed.position(named.name.address) == index
    ]


async def resolve(
    people: PeopleReader, app: str, names: Sequence[Recipient]
) -> list[ResolvedRecipient]:
    """Return each name with its person, if one is known. Raises StoreUnavailable."""
    found: dict[Address, Profile] = {}
    ledger: dict[str, Player] = {}
    look_ups = (
        ("login", people.by_logins),
        ("visitor", people.by_visitors),
        ("person", people.by_persons),
    )
    for kind, look_up in look_ups:
        values = _of_kind(names, kind)
        if values:
            found |= {(kind, value): p for value, p in (await look_up(app, values)).items()}
    players = _of_kind(names, "player")
    if players:
        ledger = await people.ledger(app, players)
        owners = await people.owners(app, ledger)
        found |= {("player", player): profile for player, profile in owners.items()}
    states = {player: entry["state"] for player, entry in ledger.items()}
    return [
        ResolvedRecipient(name, found.get(name.address), state=states.get(name.player or ""))
        for name in names
    ]


def _of_kind(names: Sequence[Recipient], kind: str) -> list[str]:
    return [name.address[1] for name in names if name.address[0] == kind]


def _in_chunks(
    names: Sequence[tuple[int, Recipient]], size: int
) -> Iterator[Sequence[tuple[int, Recipient]]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]
