"""`scenario …`: what the commands ask of the ops API, what they print, how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import respx

from sender_service.ops.scenario_examples import (
    SCENARIO,
    SCENARIO_TEMPLATE,
    SCENARIO_VERSION,
    STORED_SCENARIO,
)
from tests.contract.sender.commands import URL, run

PATH = "/v1/apps/demo/scenarios/basket"
NAMED = ("--app", "demo", "--scenario", "basket")
AT: dict[str, Any] = {"time": "10:00", "days": 7, "zone": "app"}
NOW: dict[str, Any] = {"minutes": 0, "of": "entry"}
WAITS = [{"id": "week", "campaign": "c", "at": AT}, {"id": "now", "campaign": "c", "after": NOW}]
LATE = {**STORED_SCENARIO, "steps": WAITS}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")
    monkeypatch.setenv("COLUMNS", "200")


@respx.mock(base_url=URL)
def test_scenario_is_put_from_a_file(
    respx_mock: respx.MockRouter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.json"
    file.write_bytes(orjson.dumps(SCENARIO))
    route = respx_mock.put(PATH).respond(json=STORED_SCENARIO)
    assert run("scenario", "put", *NAMED, str(file)) == 0
    assert orjson.loads(route.calls[0].request.content) == SCENARIO
    assert "hour (60 min of silence), day (1440 min of previous)" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_scenarios_are_listed_with_their_waits(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get("/v1/apps/demo/scenarios").respond(json={"items": [LATE]})
    assert run("scenario", "list", "--app", "demo") == 0
    assert "week (day 7, 10:00), now (at once)" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_scenario_is_printed_as_it_is(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(PATH).respond(json=STORED_SCENARIO)
    assert run("scenario", "show", *NAMED) == 0
    assert orjson.loads(capsys.readouterr().out) == STORED_SCENARIO


@respx.mock(base_url=URL)
def test_versions_are_listed(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(f"{PATH}/versions").respond(json={"items": [SCENARIO_VERSION]})
    assert run("scenario", "versions", *NAMED) == 0
    assert "Abandoned basket" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_scenario_is_deleted(respx_mock: respx.MockRouter) -> None:
    respx_mock.delete(PATH).respond(json={"id": "basket", "removed": True})
    assert run("scenario", "delete", *NAMED) == 0


@pytest.mark.parametrize(
    ("more", "printed"),
    [
        (("abandoned-basket",), SCENARIO_TEMPLATE["scenario"]),
        (("abandoned-basket", "--campaign", "basket-2"), SCENARIO_TEMPLATE["campaigns"][1]["body"]),
    ],
)
@respx.mock(base_url=URL)
def test_template_is_printed_as_what_put_takes(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    printed: object,
) -> None:
    respx_mock.get("/v1/scenario-templates").respond(json={"items": [SCENARIO_TEMPLATE]})
    assert run("scenario", "templates", *more) == 0
    assert orjson.loads(capsys.readouterr().out) == printed


@respx.mock(base_url=URL)
def test_templates_are_listed_and_unknown_ones_refused(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get("/v1/scenario-templates").respond(json={"items": [SCENARIO_TEMPLATE]})
    assert run("scenario", "templates") == 0
    assert "basket-1, basket-2" in capsys.readouterr().out
    assert run("scenario", "templates", "abandond-basket") == 1
    assert "did you mean `abandoned-basket`?" in capsys.readouterr().err
