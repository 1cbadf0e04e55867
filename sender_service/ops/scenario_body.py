"""Bodies with a scenario: its size, what an answer has beside it, and drafts that are tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Request
from pydantic import BeforeValidator, Field

from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.values import MAX_SCENARIO_BYTES
from sender_service.models.segment_values import Strict
from sender_service.ops.scenario_paths import existing_scenario
from sender_service.store.scenarios import ScenarioStore
from shared.errors import TooLarge

SCENARIO_READ_ONLY = frozenset({"id", "app", "version", "off"})  # `PUT` ignores them


async def check_size(request: Request) -> None:
    """Check the body's length. Raises TooLarge."""
    if len(await request.body()) > MAX_SCENARIO_BYTES:
        raise TooLarge(f"a scenario has at most {MAX_SCENARIO_BYTES // 1024} KiB")


def _without_read_only(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key not in SCENARIO_READ_ONLY}


class DraftRequest(Strict):
    """Body of what tries a scenario. `scenario`: a draft, which nothing stores; else the stored one."""

    scenario: Annotated[ScenarioRequest | None, BeforeValidator(_without_read_only)] = Field(
        default=None
    )

    async def tried(self, store: ScenarioStore, app: str, id: str) -> Scenario:
        """Return the draft, in a version that no run has, or the stored one, as if on. Raises NotFound."""
        if self.scenario is None:
            found = await existing_scenario(store, app, id)
        else:
            found = self.scenario.to_scenario(app, id)
        return replace(found, enabled=True, off=())
