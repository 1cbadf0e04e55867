"""Exhausted marketing budget of an app with one subscriber."""

from __future__ import annotations

from prometheus_client import REGISTRY

from sender_service.providers.onesignal.provider import ONESIGNAL_NAME
from tests.integration.sender.pipeline import Pipeline
from tests.integration.sender.sender_harness import APP

MARKETING = 7  # messages a window for an app with one subscriber, with margin and share


async def exhaust_budget(line: Pipeline) -> str:
    """Send all that a window allows; return the next send, planned and not yet released."""
    await line.people(1)
    for _ in range(MARKETING):
        await line.planned()
    assert await line.work() == MARKETING
    return await line.planned()


def gauge() -> float | None:
    """Return 1 while the app's budget is exhausted."""
    return REGISTRY.get_sample_value(
        "carillon_message_budget_held", {"app": APP, "provider": ONESIGNAL_NAME}
    )
