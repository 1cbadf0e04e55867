"""Check of triggers that claim to be a scenario's: each needs its firing, which was stored before."""

from __future__ import annotations

from dataclasses import replace

from sender_service.intake.request import TriggerRequest
from sender_service.models.erased_names import marker
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.trigger import Terms, Trigger
from sender_service.store.firings import FiringStore
from shared.errors import Rejected


class FiringCheck:
    """Reads firings of triggers. Methods raise StoreUnavailable."""

    def __init__(self, firings: FiringStore) -> None:
        self._firings = firings

    async def why_not(self, request: TriggerRequest) -> Rejected | None:
        """Return why a trigger is no firing's; None where it is, or doesn't claim to be."""
        trigger = request.trigger
        if not isinstance(trigger, Terms):
            return None
        if trigger.scenario is None and trigger.priority != "triggered":
            return None
        firing = await self._firings.get(trigger.id)
        if firing is not None and _is_of(trigger, firing):
            return None
        return Rejected("scenario: it has no such firing", code="unknown_firing")

    async def without_erased(self, request: TriggerRequest) -> TriggerRequest:
        """Return a firing's trigger without the names of those erased since it was published."""
        trigger = request.trigger
        if not isinstance(trigger, Trigger) or trigger.scenario is None or not trigger.recipients:
            return request
        firing = await self._firings.get(trigger.id)
        members = set() if firing is None else {member.person for member in firing.members}
        left = [
            one.model_copy(update={"person": marker()})
            if one.person is not None and one.person not in members
            else one
            for one in trigger.recipients
        ]
        return replace(request, trigger=trigger.model_copy(update={"recipients": left}))

    async def is_repeated(self, request: TriggerRequest) -> bool:
        """Check whether a known send's trigger is its firing's, whatever its content."""
        # An erasure may change a firing between two publications of its trigger.
        trigger = request.trigger
        if isinstance(trigger, Terms) and trigger.scenario is None:
            return False
        return await self._firings.get(request.head.id) is not None


def _is_of(trigger: Terms, firing: Firing) -> bool:
    ref = ScenarioRef(id=firing.scenario, step=firing.step, version=firing.version)
    return (trigger.app, trigger.campaign, trigger.scenario, trigger.priority) == (
        firing.app, firing.campaign, ref, "triggered",
    )  # fmt: skip
