"""Interfaces of planning and release to scenarios: looks at a firing's people, and knowledge of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sender_service.models.decide.decision import Stage
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import ItemClaim


@dataclass(frozen=True, slots=True)
class FiredSend:
    """Send of a firing; `id` is the firing's too."""

    id: str
    app: str
    scenario: ScenarioRef


class Knowledge(Protocol):
    """Says why what is known of people is too old, and an exit may be missing; None: it isn't."""

    async def why_old(self, now: datetime) -> str | None: ...


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
    ) -> dict[str, PushLook]:
        """Return person → look. `about`: person → what the push claims, at release."""
        ...
