"""The pages for people name every field that an app and a campaign may have, and the examples are taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sender_service.models.campaign import CampaignBody
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.ops.app_body import AppRequest
from shared.models.strict import models_of, validate_strictly

DOCS = Path(__file__).parents[3] / "docs"


def names_of(model: type[BaseModel]) -> set[str]:
    """All keys, also of what lies within."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for inner in models_of(field.annotation):
            found |= names_of(inner)
    return found


@pytest.mark.parametrize(
    ("page", "model"), [("apps.md", AppRequest), ("campaigns.md", CampaignBody)]
)
def test_n6_every_field_is_in_the_page(page: str, model: type[BaseModel]) -> None:
    text = re.sub(r"```.*?```", "", (DOCS / page).read_text(), flags=re.DOTALL)
    documented = set(re.findall(r"[A-Za-z]+", " ".join(re.findall(r"`[^`]+`", text))))
    assert names_of(model) - documented == set()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("app.json", AppRequest),
        ("campaign.json", CampaignBody),
        ("first-push.json", CampaignBody),
        ("scenario.json", ScenarioRequest),
    ],
)
def test_n6_examples_are_what_the_api_takes(name: str, model: type[BaseModel]) -> None:
    written = (DOCS / "examples" / name).read_text().replace("…", "x")
    assert validate_strictly(model, json.loads(written))
