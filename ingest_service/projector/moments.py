"""Moments of a batch: its facts about each person, published once their profiles are stored.

A publication that fails, or isn't known to have been stored, makes the whole batch come again. Its facts
come from events, so they are the same again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from ingest_service.projector.browser import Browser
from ingest_service.projector.event_epochs import EventEpochs
from ingest_service.projector.facts import (
    OF_NO_VISIT,
    Players,
    Surroundings,
    facts_of,
    merges_of,
)
from ingest_service.projector.player import SUBSCRIBED_PLAYER
from shared.documents.profile import Profile, Purchase
from shared.events.payloads import ErasePayload
from shared.events.registry import ERASE, IDENTIFY, UNDO_MERGE, payload_of
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import MOMENTS_TOPIC
from shared.models.event import Event
from shared.models.facts import Bought, Erased, Fact
from shared.models.person_moment import dump_moment

MOMENT = "moment"
SEEN_FIELDS = itemgetter("lastSeenAt", "timeZone")
STATE, ORDER_TIME = itemgetter("state"), itemgetter("id", "at")
MERGING = frozenset({IDENTIFY, UNDO_MERGE})
MAX_RECORD_BYTES = 256 * 1024  # a person's batch may be of 200 events with 32 KiB each

PublishMoments = Callable[[Sequence[OutgoingRecord]], Awaitable[None]]  # raises LogUnavailable


@dataclass(slots=True)
class _Person:
    """Person of a batch. Without a profile there is no `seen_at`."""

    app: str
    facts: list[Fact] = field(default_factory=list)
    seen_at: datetime | None = None
    zone: str | None = None
    subscribed: int = 0
    was_seen: bool = False
    was_named: bool = False  # by an erasure

    def note(self, profile: Profile) -> None:
        self.seen_at, self.zone = SEEN_FIELDS(profile)
        self.subscribed = list(map(STATE, profile["players"])).count(SUBSCRIBED_PLAYER)
        _date_orders(self.facts, profile["purchases"])

    def forget_profile(self) -> None:
        self.seen_at, self.zone, self.subscribed = None, None, 0

    def published_facts(self) -> list[Fact]:
        """Return the facts; of persons erased with another one, only if nothing of them is left."""
        if self.was_named or self.seen_at is None:
            return self.facts
        return [fact for fact in self.facts if fact.kind != "erased"]


class BatchMoments:
    """Moments of one batch, whose profiles may be folded in several parts.

    Without `publish` (in a replay) there are none.
    """

    def __init__(self, publish: PublishMoments | None) -> None:
        self._publish = publish
        self._people: dict[str, _Person] = {}

    def add_facts(self, events: Sequence[tuple[Event, Browser]], players: Players) -> None:
        """Add the events' facts, once their browsers and players are folded; their profiles come after."""
        if self._publish is None:
            return
        browsers = {browser.visitor.id: browser for _, browser in events}.values()
        epochs = {one.visitor.id: EventEpochs(one.visitor) for one in browsers}
        around = {one.visitor.id: Surroundings(one, players) for one in browsers}
        for event, browser in events:
            name = browser.visitor.id
            self._add(event, epochs[name], around[name])
        affected = {person for browser in browsers for person in browser.affected}
        for name in affected & self._people.keys():
            self._people[name].forget_profile()  # it is folded anew, if anything is left of it

    def note_profiles(self, profiles: Iterable[Profile]) -> None:
        """Note the stored profiles of persons that the batch has facts about."""
        for profile in profiles:
            person = self._people.get(profile["_id"])
            if person is not None:
                person.note(profile)

    async def publish(self) -> None:
        """Publish a record of each person, after its profile was stored. Raises LogUnavailable."""
        records = [record for name, one in self._people.items() for record in _records(name, one)]
        if self._publish is not None and records:
            await self._publish(records)

    def _add(self, event: Event, epochs: EventEpochs, around: Surroundings) -> None:
        browser = around.browser
        if event.type == ERASE:
            self._add_erased(event, browser)
            return
        if event.type in MERGING:
            for name, fact in merges_of(event, browser):
                self._of(event, name).facts.append(fact)
        epoch = None if event.source in OF_NO_VISIT else epochs.find(event)
        if epoch is not None:
            person = self._of(event, browser.person_of(epoch))
            person.was_seen = True
            person.facts.extend(facts_of(event, epoch, around))

    def _add_erased(self, event: Event, browser: Browser) -> None:
        self._of(event, payload_of(event, ErasePayload).person).was_named = True
        for person in sorted(browser.erased_persons()):
            self._of(event, person).facts.append(Erased(event.id, event.occurred_at))

    def _of(self, event: Event, person: str) -> _Person:
        known = self._people.get(person)
        if known is None:
            known = self._people[person] = _Person(event.app)
        return known


def _date_orders(facts: Iterable[Fact], purchases: Sequence[Purchase]) -> None:
    """Give orders the earliest time that is known: a thank-you page that is opened again is no order."""
    for fact in facts:
        if isinstance(fact, Bought):
            times = (at for order, at in map(ORDER_TIME, purchases) if order == fact.order)
            fact.at = min([fact.at, *times])


def _records(name: str, person: _Person) -> Iterator[OutgoingRecord]:
    """Yield the person's record; more than one where its facts are many bytes."""
    pieces = [person.published_facts()]
    while pieces:
        facts = pieces.pop()
        if not facts and not person.was_seen:
            continue
        value = dump_moment(
            person.app, name, facts,
            seen_at=person.seen_at, zone=person.zone, subscribed=person.subscribed,
        )  # fmt: skip
        if len(value) > MAX_RECORD_BYTES and len(facts) > 1:
            half = len(facts) // 2
            pieces += [facts[half:], facts[:half]]
        else:
            yield OutgoingRecord(MOMENTS_TOPIC.name, name, value, MOMENT)
