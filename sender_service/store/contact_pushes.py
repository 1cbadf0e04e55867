"""Pushes of a person that count for caps and gaps, and the writes that note one more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter

from pymongo import InsertOne, UpdateOne

from sender_service.models.policy import Gap
from shared.models.app import Cap
from shared.mongo.client import Document, Write, if_unchanged

MAX_PUSHES = 64  # remembered a person: more than a cap can count
CONTACTS_RETENTION = timedelta(days=91)  # longer than the longest cap
NOTHING: Document = {"pushes": []}
MAX_ALIASES = 100  # documents read beside a person's own: more merges are a kiosk's or a program's
People = Mapping[str, Sequence[str]]  # person → the persons merged into it
Caps = Sequence[Cap | Gap]  # a send with a gap is a scenario's


@dataclass(frozen=True, slots=True)
class PlannedPush:
    """Push of a send that is planned now.

    `later`: when those get it who wait for the end of their night.
    """

    send: str
    caps: Caps
    now: datetime
    later: Mapping[str, datetime] = field(default_factory=dict)

    def at(self, person: str) -> datetime:
        return self.later.get(person, self.now)

    def entry(self, person: str) -> Document:
        """Return what is noted of it. Pushes of scenarios are marked."""
        is_of_scenario = any(isinstance(cap, Gap) for cap in self.caps)
        marked = {"scenario": True} if is_of_scenario else {}
        return {"send": self.send, "at": self.at(person), **marked}


def contact_key(app: str, person: str) -> str:
    return f"{app}:{person}"


def scenario_entries(document: Document | None) -> Iterator[Document]:
    return (entry for entry in (document or NOTHING)["pushes"] if "scenario" in entry)


def merged_into(people: People, person: str) -> Sequence[str]:
    return people[person][:MAX_ALIASES]


class _CountedPushes:
    """Pushes that count for a person when a send is planned: the person's, and merged persons'.

    The latter are copied, marked as `taken`; of a send in several documents there is one push.
    """

    def __init__(
        self, own: Document | None, others: Sequence[Document], send: str, now: datetime
    ) -> None:
        self._own, self._send, self._now = own, send, now
        self._noted = {} if own is None else {entry["send"]: entry for entry in own["pushes"]}
        self._taken = {
            entry["send"]: {**entry, "taken": True}
            for document in others
            for entry in document["pushes"]
            if entry["at"] > now - CONTACTS_RETENTION and entry["send"] not in self._noted
        }

    @property
    def is_noted(self) -> bool:
        """Check whether the send is noted for the person, not only for one merged into them."""
        return self._send in self._noted and "taken" not in self._noted[self._send]

    def is_full(self, caps: Caps, at: datetime) -> bool:
        """Check whether other sends' pushes reach one of the caps, or are within the gap of `at`."""
        others = self._others()
        return any(
            is_in_gap(cap, others, at)
            if isinstance(cap, Gap)
            else _is_reached(cap, others, self._now)
            for cap in caps
        )

    def write(self, app: str, person: str, entries: Sequence[Document]) -> Write | None:
        """Return the write that notes the entries and copies what is new; None if nothing is."""
        pushes = sorted(self._others(), key=itemgetter("at", "send")) if self._taken else []
        pushes = pushes[len(entries) - MAX_PUSHES :]
        copies = any(entry["send"] in self._taken for entry in pushes)
        if not entries and not copies:
            return None
        expires = self._now + CONTACTS_RETENTION
        if self._own is None:
            # Copies follow under the document's `rev`, so that what is given back meanwhile isn't.
            fresh = {"_id": contact_key(app, person), "app": app, "rev": 1, "expireAt": expires}
            return InsertOne({**fresh, "pushes": [] if copies else list(entries)})
        changes: Document = {"$set": {"expireAt": expires}, "$inc": {"rev": 1}}
        if copies or self._send in self._noted:
            kept = pushes or self._others()
            changes["$set"]["pushes"] = [*kept, *entries]
        else:
            changes["$push"] = {"pushes": {"$each": list(entries), "$slice": -MAX_PUSHES}}
        return UpdateOne(if_unchanged(self._own), changes)

    def _others(self) -> list[Document]:
        """Return the pushes of other sends. One that began before the merge may have an entry."""
        every = (*self._noted.values(), *self._taken.values())
        return [entry for entry in every if entry["send"] != self._send]


def is_in_gap(gap: Gap, pushes: Iterable[Document], at: datetime) -> bool:
    """Return whether another scenario push is closer than the gap, before or after."""
    first, last = at - gap.window, at + gap.window
    return any(first < push["at"] < last for push in pushes if "scenario" in push)


def _is_reached(cap: Cap, pushes: Sequence[Document], now: datetime) -> bool:
    since = now - cap.window
    return sum(1 for push in pushes if push["at"] > since) >= cap.count


def check_caps(
    app: str, people: People, known: Mapping[str, Document], push: PlannedPush
) -> tuple[set[str], list[Write]]:
    """Return the people whose cap is reached, and the writes that note the push for the others."""
    refused: set[str] = set()
    writes: list[Write] = []
    for person in people:
        keys = (contact_key(app, name) for name in merged_into(people, person))
        others = [known[key] for key in keys if key in known]
        pushes = _CountedPushes(known.get(contact_key(app, person)), others, push.send, push.now)
        if pushes.is_noted:
            continue
        is_full = pushes.is_full(push.caps, push.at(person))
        if is_full:
            refused.add(person)
        write = pushes.write(app, person, [] if is_full else [push.entry(person)])
        if write is not None:
            writes.append(write)
    return refused, writes


def move_pushes(
    known: Iterable[Document], send: str, gap: Gap, to: Mapping[str, datetime]
) -> tuple[set[str], list[Write]]:
    """Return whose push would come within the gap at its later time, by key, and the writes for others."""
    refused: set[str] = set()
    writes: list[Write] = []
    for contact in known:
        others = [push for push in contact["pushes"] if push["send"] != send]
        mine = [push for push in contact["pushes"] if push["send"] == send]
        at = to[contact["_id"]]
        if is_in_gap(gap, others, at):
            refused.add(contact["_id"])
        elif any(push["at"] < at for push in mine):
            moved = [*others, *({**push, "at": at} for push in mine)]
            changes: Document = {"$set": {"pushes": moved}, "$inc": {"rev": 1}}
            writes.append(UpdateOne(if_unchanged(contact), changes))
    return refused, writes
