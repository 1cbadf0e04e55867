"""Histories of a sample of each app's people: their moments are kept as they are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.store import histories as stored
from sender_service.store.histories import HistoryStore, place_of
from shared.clock import Monotonic
from shared.models.facts import Erased
from shared.models.person_moment import PersonMoment

SHARE_KNOWN_SECONDS = 5.0
COUNTED_AFTER = 500  # new people, at least
ADDERS = 4  # processes that may add people at the same time


@dataclass(slots=True)
class _Sample:
    """Sample of an app as this process knows it. `room`: new people until it is counted again."""

    share: float
    read_at: float
    room: int = 0


@dataclass(slots=True)
class HistoryKeeper:
    """Keeps histories. Methods raise StoreUnavailable when MongoDB is away.

    Moments that are read again are kept again: whoever reads a history passes over them.
    """

    store: HistoryStore
    monotonic: Monotonic
    _samples: dict[str, _Sample] = field(default_factory=dict, init=False)

    async def keep(self, app: str, moments: Sequence[PersonMoment], now: datetime) -> None:
        """Keep the moments of people in the sample; forget what erased people did before."""
        sample = await self._sample(app)
        mine = [one for one in moments if place_of(app, one.person) < sample.share]
        await self.store.delete({one.person for one in mine if _erased_at(one) is not None})
        sample.room -= await self.store.add(app, _without_erased(mine), now)
        if sample.room <= 0:
            await self._bound(app, sample)

    async def forget(self, persons: Collection[str]) -> None:
        """Forget people of whom nothing is left."""
        await self.store.delete(persons)

    async def _sample(self, app: str) -> _Sample:
        now, known = self.monotonic(), self._samples.get(app)
        if known is None:
            known = self._samples[app] = _Sample(await self.store.share(app), now)
        elif now - known.read_at > SHARE_KNOWN_SECONDS:
            known.share, known.read_at = await self.store.share(app), now
        return known

    async def _bound(self, app: str, sample: _Sample) -> None:
        """Halve the sample until it is small enough."""
        while (count := await self.store.count(app)) + COUNTED_AFTER > stored.MAX_PERSONS:
            sample.share = await self.store.halve(app, sample.share)
        sample.room = max(COUNTED_AFTER, (stored.MAX_PERSONS - count) // ADDERS)


def _erased_at(moment: PersonMoment) -> datetime | None:
    return max((fact.at for fact in moment.facts if isinstance(fact, Erased)), default=None)


def _without_erased(moments: Sequence[PersonMoment]) -> list[PersonMoment]:
    """Return what the people did since the last erasure of each."""
    left: list[PersonMoment] = []
    for moment in moments:
        at = _erased_at(moment)
        if at is not None:
            left = [one for one in left if one.person != moment.person]
        kept = moment if at is None else _later_facts(moment, at)
        # Without `seenAt` there is nobody any more.
        if kept.seen_at is not None:
            left.append(kept)
    return left


def _later_facts(moment: PersonMoment, since: datetime) -> PersonMoment:
    """Return the moment with the facts that are later than a time."""
    facts = [fact for fact in moment.facts if fact.at > since]
    return moment.model_copy(update={"facts": facts})
