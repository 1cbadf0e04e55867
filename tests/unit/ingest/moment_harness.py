"""A projector whose moments can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest_service.projector.profile import BOUNDS, ProfileLimits
from ingest_service.projector.projector import Projector
from shared.errors import LogUnavailable
from shared.kafka.records import OutgoingRecord
from shared.models.facts import Fact
from shared.models.person_moment import PersonMoment
from tests.support.projector_doubles import APP, START, MemoryProjections, ProjectorHarness


class MomentHarness(ProjectorHarness):
    """Projector with its publications: one list of records a call. `away` calls fail first."""

    def __init__(
        self, store: MemoryProjections | None = None, bounds: ProfileLimits = BOUNDS
    ) -> None:
        super().__init__(store, bounds)
        self.calls: list[list[OutgoingRecord]] = []
        self.stored_then: list[set[str]] = []  # ids of the profiles, at each call
        self.away = 0
        self.projector = Projector(
            self.store, self.people, lambda: START, bounds=bounds, publish_moments=self._publish
        )
        self.eva = self.people.of_login(APP, "eva")

    async def _publish(self, records: Sequence[OutgoingRecord]) -> None:
        self.stored_then.append(set(self.store.kept["profiles"]))
        if self.away:
            self.away -= 1
            raise LogUnavailable("away")
        self.calls.append(list(records))

    async def moments(self, *events: Any) -> dict[str, PersonMoment]:
        """Apply one batch; return its moments, by person."""
        before = len(self.calls)
        await self.apply(*events)
        records = [record for call in self.calls[before:] for record in call]
        return {str(record.key): PersonMoment.parse(record.value) for record in records}

    def born(self, visitor: str, start: str = "0") -> str:
        return self.people.of_visitor(APP, visitor, start)


def at(number: int) -> datetime:
    return START + timedelta(seconds=number)


def kinds(moment: PersonMoment) -> list[str]:
    return [fact.kind for fact in moment.facts]


def of_kind(moment: PersonMoment, kind: str) -> Fact:
    """Return the moment's only fact of a kind."""
    (fact,) = (fact for fact in moment.facts if fact.kind == kind)
    return fact
