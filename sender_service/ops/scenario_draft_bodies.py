"""Bodies of what tries a scenario, and their checks against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic import Strict as Exactly
from pydantic.alias_generators import to_camel

from sender_service.models.campaign import ShortId
from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.scenario import Scenario, Step
from sender_service.models.segment_values import Strict
from sender_service.ops.scenario_body import without_read_only
from sender_service.ops.scenario_paths import existing_scenario
from sender_service.store.scenarios import ScenarioStore
from shared.errors import FieldError, InvalidPayload
from shared.models.documented import EXAMPLE_PLAYER_ID
from shared.models.wire import Wire
from shared.names import PlayerId
from shared.nearest import suggest


class _DraftRequest(Strict):
    scenario: Annotated[ScenarioRequest | None, BeforeValidator(without_read_only)] = Field(
        default=None
    )

    async def tried(self, store: ScenarioStore, app: str, id: str) -> Scenario:
        """Return the draft, in a version that no run has, or the stored one, as if on. Raises NotFound."""
        if self.scenario is None:
            found = await existing_scenario(store, app, id)
        else:
            found = self.scenario.to_scenario(app, id)
        return replace(found, enabled=True, off=())


class ScenarioPreviewRequest(_DraftRequest):
    """The body of `POST …/preview`. `scenario`: a draft, which nothing stores; else the stored one."""


class SimulateRequest(_DraftRequest):
    """The body of `POST …/simulate`. `scenario`: a draft, which nothing stores; else the stored one."""

    days: Annotated[int, Exactly(), Ge(1), Le(14)]


class ScenarioTestRequest(Wire):
    """Body of `POST …/scenarios/{scenario}/test`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"player": EXAMPLE_PLAYER_ID, "step": "hour"}]},
    )

    player: PlayerId
    step: ShortId


def existing_step(scenario: Scenario, id: str) -> Step:
    """Return the step. Raises InvalidPayload."""
    step = scenario.step(id)
    if step is None:
        hint = suggest(id, [one.id for one in scenario.steps])
        raise wrong_field("step", "unknown_step", f"no such step{hint}")
    return step


def check_entry(scenario: Scenario) -> None:
    """Check that moments enter people. Raises InvalidPayload."""
    if not is_of_moment(scenario.entry):
        message = "only scenarios that people enter by what they do can be simulated"
        raise wrong_field("scenario.enter.on", "not_of_moment", message)


def wrong_field(field: str, code: str, message: str) -> InvalidPayload:
    """Return the error of a field of the body."""
    error = FieldError(f"body.{field}", code, message)
    return InvalidPayload(f"{error.field}: {message}", code=code, errors=[error])
