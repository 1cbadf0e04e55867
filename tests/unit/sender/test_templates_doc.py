"""docs/templates.md: each example reads as it says, and each filter has one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from sender_service.models.campaign import Variant
from sender_service.models.missing_values import EACH
from sender_service.models.sandbox import PushEnvironment
from sender_service.planner.rendering import Renderer
from tests.support.builders import variant
from tests.support.documents import build_profile

DOC = (Path(__file__).parents[3] / "docs" / "templates.md").read_text()
ROW = re.compile(r"^\| (.*?) ?\| `(.+)` \| (.+) \|$", re.MULTILINE)
ROWS = [(first, source.replace("\\|", "|"), reads) for first, source, reads in ROW.findall(DOC)]


def _given() -> tuple[dict[str, Any], dict[str, Any]]:
    variables, profile = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    return orjson.loads(variables), orjson.loads(profile)


@pytest.mark.parametrize(("first", "source", "reads"), ROWS)
def test_each_example_reads_as_it_states(first: str, source: str, reads: str) -> None:
    variables, profile = _given()
    language = first if re.fullmatch("[a-z]{2}", first) else "en"
    texts = {"en": "x", language: source}
    of = Variant.model_validate(variant(contents=texts))
    push = Renderer(variables).render(
        of, build_profile("p", **profile | {"language": language}), {}
    )
    rendered = push.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert rendered == reads


def test_each_filter_has_an_example() -> None:
    sources = " ".join(source for _, source, _ in ROWS)
    used = set(re.findall(r"\|([a-z]+)", sources))
    assert set(PushEnvironment().filters) - {EACH} == used


def test_each_part_of_a_profile_has_an_example() -> None:
    sources = " ".join(source for _, source, _ in ROWS)
    _, profile = _given()
    assert set(profile) == set(re.findall(r"profile\.([a-zA-Z]+)", sources))
