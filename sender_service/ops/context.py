"""Context of the ops API: the sender's, with the intake and the message budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sender_service.context import SenderContext
from sender_service.intake.accept import Intake
from sender_service.scheduler.budget import MessageBudget


@dataclass(frozen=True, kw_only=True)
class OpsContext(SenderContext):
    """Made once an API; each router takes from it what it needs."""

    intake: Intake
    budget: MessageBudget | None

    @classmethod
    def of(cls, context: SenderContext, intake: Intake, budget: MessageBudget | None) -> Self:
        return cls(**vars(context), intake=intake, budget=budget)
