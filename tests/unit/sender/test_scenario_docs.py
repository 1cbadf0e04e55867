"""Tests that the page of scenarios names every field of the language, with its default and bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sender_service.models.scenario.entry_language import ENTRIES
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.requirements import (
    APP_TIME_ZONE_MISSING,
    NO_CATALOGUE,
    UNKNOWN_CAMPAIGN,
)
from sender_service.models.scenario.step_language import ChooseRequest
from sender_service.models.scenario.values import MAX_SCENARIO_BYTES, MAX_SCENARIOS
from shared.models.strict import REFUSAL_CODES, models_of

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
ROWS = {
    row[0].strip("` "): row[1:] for row in re.findall(r"^\| (.+?) \|(.*?)\|(.*)\|$", PAGE, re.M)
}


def fields_of(model: type[BaseModel], *path: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yield each field by its path, without those of a segment's conditions and of `enter`."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield ".".join((*path, key)), field
        if key in ("enter", "if", "only", "price", "discountPercent", "choose", "else"):
            continue
        for inner in models_of(field.annotation):
            yield from fields_of(inner, *path, key)


LANGUAGE = dict(fields_of(ScenarioRequest)) | dict(fields_of(ChooseRequest, "choose"))


def bounds_of(field: FieldInfo) -> str | None:
    """Return the bounds of a number as the page has them."""
    least: Any = next((m.ge for m in field.metadata if isinstance(m, Ge)), None)
    most: Any = next((m.le for m in field.metadata if isinstance(m, Le)), None)
    return None if least is None else f"{least} to {most}"


def lengths_of(field: FieldInfo) -> str | None:
    least = next((m.min_length for m in field.metadata if isinstance(m, MinLen)), None)
    most = next((m.max_length for m in field.metadata if isinstance(m, MaxLen)), None)
    return None if most is None else f"{least} to {most}"


def written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("path", LANGUAGE)
def test_every_field_is_in_the_table(path: str) -> None:
    default, meaning = ROWS[path]
    field = LANGUAGE[path]
    if field.is_required():
        assert default.strip() == "needed"
    elif isinstance(field.default, str | int):
        assert default.strip() == f"`{written(field.default)}`"
    for bounds in (bounds_of(field), lengths_of(field)):
        assert bounds is None or bounds in meaning


def test_the_table_has_no_other_fields() -> None:
    shaped = re.compile(r"(choose|steps|again)\.")
    assert {path for path in ROWS if shaped.match(path)} <= LANGUAGE.keys()


@pytest.mark.parametrize("on", ENTRIES)
def test_every_entry_is_in_the_table(on: str) -> None:
    parameters, _ = ROWS[on]
    for name, field in ENTRIES[on].model_fields.items():
        key = field.alias or name
        if key == "on":
            continue
        assert f"`{key}`" in parameters
        bounds = bounds_of(field)
        if bounds is not None:
            assert re.search(rf"`{key}` {bounds}( days)? \(`{field.default}`\)", parameters)
    named = set(re.findall(r"`([a-zA-Z]+)`", parameters)) - {"app"}
    assert named == {f.alias or n for n, f in ENTRIES[on].model_fields.items()} - {"on"}


@pytest.mark.parametrize(
    "code",
    [
        *sorted(REFUSAL_CODES - {"time_zone_missing"}),
        UNKNOWN_CAMPAIGN,
        NO_CATALOGUE,
        APP_TIME_ZONE_MISSING,
        *("no_previous", "repeated", "two_waits", "unknown_entry", "reserved_type"),
        *("not_for_source", "too_deep"),
    ],
)
def test_every_code_is_in_the_table(code: str) -> None:
    assert f"\n| `{code}` |" in PAGE


def test_sizes_are_those_of_the_code() -> None:
    assert (
        f"at most {MAX_SCENARIO_BYTES // 1024} KiB, an app at most {MAX_SCENARIOS} scenarios"
        in PAGE
    )
