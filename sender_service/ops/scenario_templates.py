"""Templates of scenarios: a file each in `sender_service/scenario_templates/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from sender_service.models.scenario.language import ScenarioRequest
from sender_service.ops.responses.scenarios import (
    ScenarioBodyResponse,
    ScenarioTemplateResponse,
    TemplateCampaignResponse,
)
from sender_service.store.scenario_codec import encode_body

FOLDER = Path(__file__).parents[1] / "scenario_templates"


@cache
def load_templates() -> list[ScenarioTemplateResponse]:
    """Return all templates, by id."""
    files = sorted(FOLDER.glob("*.json"))
    return [_to_response(orjson.loads(file.read_bytes())) for file in files]


def _to_response(written: dict[str, Any]) -> ScenarioTemplateResponse:
    """Return a template with the defaults of its scenario."""
    scenario = ScenarioRequest.model_validate(written["scenario"]).to_scenario("", written["id"])
    campaigns = [TemplateCampaignResponse.model_validate(each) for each in written["campaigns"]]
    return ScenarioTemplateResponse(
        id=written["id"],
        description=written["description"],
        scenario=ScenarioBodyResponse.model_validate(encode_body(scenario)),
        campaigns=campaigns,
    )
