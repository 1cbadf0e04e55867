"""Interfaces of planning and release to scenarios: looks at a firing's people, and knowledge of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sender_service.models.decide.decision import Stage
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import ItemClaim, Run
from shared.documents.profile import Profile


@dataclass(frozen=True, slots=True)
class FiredSend:
    """Send of a firing; `id` is the firing's too."""

    id: str
    app: str
    scenario: ScenarioRef


class Knowledge(Protocol):
    """Says why what is known of people is too old, and an exit may be missing; None: it isn't."""

    async def why_old(self, now: datetime) -> str | None: ...

    def note_rest(self) -> None:
        """Note that something rests for it."""
        ...


class Looks(Protocol):
    """Looks at people whose step was fired: the LookReader. Methods raise StoreUnavailable."""

    async def needs_knowledge(self, send: FiredSend) -> bool:
        """Return whether what people did lately may forbid the push."""
        ...

    async def look(
        self,
        send: FiredSend,
        about: Mapping[str, tuple[ItemClaim, ...]],
        now: datetime,
        stage: Stage,
        known: Sequence[Profile] = (),
    ) -> dict[str, PushLook]:
        """Return person → look. `about`: person → what the push claims, at release.

        `known`: profiles that were read just now.
        """
        ...


class Occasion(Protocol):
    """Occurrence of the clock whose people are decided on. Methods raise StoreUnavailable."""

    async def look(self, profiles: Sequence[Profile], now: datetime) -> dict[str, PushLook]:
        """Return person → look, of those whom the send may be for."""
        ...

    async def begin(self, runs: Sequence[Run]) -> set[str]:
        """Begin these runs; return the persons who entered otherwise meanwhile."""
        ...

    async def note_refused(self, counts: Mapping[str, int]) -> None:
        """Note whom the clock didn't enter, once all of the send is planned."""
        ...


class Occasions(Protocol):
    """Occurrences of the clock, by their sends: the ClockEntries."""

    async def open(self, send: str) -> Occasion | None:
        """Return the occurrence that the send is of; None of a send to members."""
        ...
