"""A list of names becomes people: each with everything that the list says of them, at the first name.

So all of a person's players are in one page, also where the list names them one by one, far apart.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sender_service.models.trigger import Recipient
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
from sender_service.store.people import PeopleReader

NAMES_A_READ = 100
Address = tuple[str, str]


class RecipientIndex:
    """Where the names of a list stand: the first of equal ones counts. In 24 to 48 bytes a name."""

    def __init__(self) -> None:
        self._places = TextIndex()
        self._parts = array("I")  # how many names stand before each part
        self._count = 0

    def add_part(self, names: Sequence[Recipient]) -> None:
        self._parts.append(self._count)
        for place, name in enumerate(names, self._count):
            # The lowest bit: has it variables, which are to be looked up?
            self._places.note(_text(name.address), place << 1 | bool(name.variables))
        self._count += len(names)

    def at(self, part: int, index: int) -> int:
        """The place there, counted over all parts."""
        return self._parts[part] + index

    def place(self, address: Address) -> int | None:
        number = self._places.number(_text(address))
        return None if number is None else number >> 1

    def has_variables(self, address: Address) -> bool:
        return bool((self._places.number(_text(address)) or 0) & 1)

    def part_of(self, place: int) -> tuple[int, int]:
        """The part, and where in it."""
        part = bisect_right(self._parts, place) - 1
        return part, place - self._parts[part]

    def names_of(self, profile: Mapping[str, Any]) -> list[tuple[int, Address]]:
        """Where it names this person, by whatever name, in order."""
        addresses: list[Address] = [("player", player["id"]) for player in profile["players"]]
        addresses += [("visitor", visitor) for visitor in profile.get("visitors", ())]
        if profile.get("login"):
            addresses.append(("login", profile["login"]))
        places = [(self.place(address), address) for address in addresses]
        return sorted((place, address) for place, address in places if place is not None)


def _text(address: Address) -> str:
    return "\x1f".join(address)


@dataclass(frozen=True)
class ResolvedRecipient:
    """A person as a name of the list led to them. `later`: the other names that mean them too, all
    behind this one; where this is not the `first`, they came with that. `state`: the ledger's, of a
    named player."""

    name: Recipient
    profile: dict[str, Any] | None
    first: bool = True
    later: Sequence[Address] = ()
    state: str | None = None

    def among(self, roll: RecipientIndex, here: int) -> ResolvedRecipient:
        names = [] if self.profile is None else roll.names_of(self.profile)
        if any(place < here for place, _ in names):
            return replace(self, first=False)
        return replace(self, later=[address for place, address in names if place > here])

    def candidate(self, cursor: Cursor, own: Mapping[Address, dict[str, Any]]) -> Candidate:
        """`own`: the variables of later names that have some."""
        wants = [PlayerSelection(self.name.player, self.name.variables)]
        wants += [
            PlayerSelection(a[1] if a[0] == "player" else None, own.get(a, {})) for a in self.later
        ]
        return Candidate(cursor, self.profile, tuple(wants), self.first, self.state)


class ListReader:
    """Raises StoreUnavailable when MongoDB is away, NamesUnknown for a list that is early."""

    def __init__(self, people: PeopleReader, parts: PartStore) -> None:
        self._people = people
        self._parts = parts

    async def batches(self, target: Target, after: Cursor) -> AsyncGenerator[Batch, None]:
        """The list is read twice: before the first person comes, all their names must be known."""
        roll, total = RecipientIndex(), len(target.parts) or 1
        for part in range(total):
            roll.add_part(await self._names(target, part))
            yield Batch([], 0.0)
        begin = tuple(after or (0, 0))
        for part in range(begin[0], total):
            names = await self._names(target, part)
            fresh = [
                (index, name)
                for index, name in enumerate(names)
                if (part, index) >= begin and roll.place(name.address) == roll.at(part, index)
            ]
            for batch in _in_chunks(fresh, NAMES_A_READ):
                share = (part + (batch[-1][0] + 1) / len(names)) / total
                yield Batch(await self._people_of(target, roll, part, batch), share)
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
        roll: RecipientIndex,
        part: int,
        batch: Sequence[tuple[int, Recipient]],
    ) -> list[Candidate]:
        found = await resolve(self._people, target.app, [name for _, name in batch])
        placed = [
            (index, named.among(roll, roll.at(part, index)))
            for (index, _), named in zip(batch, found, strict=True)
        ]
        own = await self._variables(target, roll, [a for _, named in placed for a in named.later])
        candidates = [named.candidate([part, index + 1], own) for index, named in placed]
        if target.is_early and any(one.is_unknown for one in candidates):
            raise NamesUnknown
        return candidates

    async def _variables(
        self, target: Target, roll: RecipientIndex, addresses: Sequence[Address]
    ) -> dict[Address, dict[str, Any]]:
        """Of names that stand anywhere: each part that holds one is read once."""
        wanted: dict[int, list[tuple[int, Address]]] = {}
        for address in addresses:
            place = roll.place(address) if roll.has_variables(address) else None
            if place is not None:
                part, index = roll.part_of(place)
                wanted.setdefault(part, []).append((index, address))
        found = {}
        for part, places in wanted.items():
            names = await self._names(target, part)
            for index, address in places:
                if names[index].address == address:  # places are found by a hash
                    found[address] = names[index].variables
        return found


def resolve_list(found: Sequence[ResolvedRecipient]) -> list[Candidate]:
    """The people of a whole list."""
    roll = RecipientIndex()
    roll.add_part([named.name for named in found])
    own = {named.name.address: named.name.variables for named in reversed(found)}
    return [
        named.among(roll, index).candidate([0, index + 1], own)
        for index, named in enumerate(found)
        if roll.place(named.name.address) == index
    ]


async def resolve(
    people: PeopleReader, app: str, names: Sequence[Recipient]
) -> list[ResolvedRecipient]:
    """Who is behind each name, if anybody. Raises StoreUnavailable."""
    found: dict[Address, dict[str, Any]] = {}
    ledger: dict[str, dict[str, Any]] = {}
    for kind, look_up in (("login", people.by_logins), ("visitor", people.by_visitors)):
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
