"""Kafka stages of a sender, by its roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sender_service.accounting.stage import Accounting
from sender_service.context import SenderContext
from sender_service.dispatcher.dispatcher import Dispatcher
from sender_service.dispatcher.governor import Governor
from sender_service.intake.accept import Intake
from sender_service.intake.stage import intake_stage
from sender_service.ops.dead_letters import dead_letters_stage
from sender_service.privacy.stage import Erasure
from sender_service.scenarios.entries import Entries
from shared.stage.runner import StageSpec


def stages_of(
    roles: Sequence[str],
    context: SenderContext,
    build_intake: Callable[[], Intake],
    governor: Governor,
) -> list[StageSpec[Any]]:
    """Return the Kafka stages of these roles."""
    specs: list[StageSpec[Any]] = []
    if "intake" in roles:
        specs.append(intake_stage(build_intake()))
    if "dispatcher" in roles:
        specs += Dispatcher.of(context, governor).stages()
    if "accounting" in roles:
        specs += [
            Accounting.of(context).stage(),
            dead_letters_stage(context.stores.dead_letters),
            Erasure.of(context).stage(),
        ]
    if "scenarios" in roles:
        specs.append(Entries.of(context).stage())
    return specs
