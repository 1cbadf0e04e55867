"""`scenario …`: what the commands ask of the ops API, what they print, how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import respx

from sender_service.ops.examples import PERSON_FOUND, SEND
from sender_service.ops.responses.people import ExplanationResponse
from sender_service.ops.scenario_examples import (
    FIRING,
    LISTED_SCENARIO,
    RUN,
    RUN_NAME,
    SCENARIO,
    SCENARIO_PREVIEW,
    SCENARIO_TEMPLATE,
    SCENARIO_VERSION,
    STORED_SCENARIO,
    WHY_IN_SCENARIO,
)
from shared.models.documented import EXAMPLE_PLAYER_ID
from tests.contract.sender.commands import URL, run

PATH = "/v1/apps/demo/scenarios/basket"
NAMED = ("--app", "demo", "--scenario", "basket")
AT: dict[str, Any] = {"time": "10:00", "days": 7, "zone": "app"}
NOW: dict[str, Any] = {"minutes": 0, "of": "entry"}
WAITS = [{"id": "week", "campaign": "c", "at": AT}, {"id": "now", "campaign": "c", "after": NOW}]
LATE = {**LISTED_SCENARIO, "steps": WAITS}


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
    printed = capsys.readouterr().out
    for text in ("week (day 7, 10:00), now (at once)", "42", "campaign_disabled, 3 people"):
        assert text in printed


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


@respx.mock(base_url=URL)
def test_people_are_listed_with_where_they_are(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    route = respx_mock.get(f"{PATH}/people").respond(json={"items": [RUN], "next": RUN_NAME})
    assert run("scenario", "people", *NAMED, "--state", "waiting", "--limit", "1") == 0
    assert dict(route.calls[0].request.url.params) == {"state": "waiting", "limit": "1"}
    printed = capsys.readouterr()
    assert RUN_NAME in printed.out and "day" in printed.out
    assert f"--after {RUN_NAME}" in printed.err


@respx.mock(base_url=URL)
def test_a_run_is_ended(respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]) -> None:
    over = {**RUN, "state": "over", "due": None, "ended": {"why": "ended", "at": RUN["due"]}}
    respx_mock.post(f"{PATH}/people/{RUN_NAME}/end").respond(json=over)
    assert run("scenario", "end", *NAMED, RUN_NAME) == 0
    assert "over: ended" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_firings_are_listed_with_what_became_of_their_people(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(f"{PATH}/firings").respond(json={"items": [FIRING], "next": None})
    assert run("scenario", "firings", *NAMED) == 0
    assert "17 sent, 2 emptied" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_why_shows_runs_and_each_rule(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.post("/v1/people/search").respond(json={"items": [PERSON_FOUND]})
    route = respx_mock.get(f"/v1/people/{PERSON_FOUND['id']}/why").respond(json=WHY_IN_SCENARIO)
    assert run("scenario", "why", *NAMED, "--login", "jana@shop.example") == 0
    assert dict(route.calls[0].request.url.params) == {"scenario": "basket"}
    printed = " ".join(capsys.readouterr().out.split())
    for text in (RUN_NAME, "waits for the step day", "No exit has happened", "The wait isn't over"):
        assert text in printed
    read = ExplanationResponse.model_validate(WHY_IN_SCENARIO)
    assert read.model_dump(mode="json", by_alias=True) == WHY_IN_SCENARIO


@respx.mock(base_url=URL)
def test_a_step_is_tried(respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]) -> None:
    route = respx_mock.post(f"{PATH}/test").respond(202, json=SEND)
    assert run("scenario", "test", *NAMED, "--step", "hour", "--player", EXAMPLE_PLAYER_ID) == 0
    body = {"player": EXAMPLE_PLAYER_ID, "step": "hour"}
    assert orjson.loads(route.calls[0].request.content) == body
    assert SEND["id"] in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_a_draft_is_previewed(
    respx_mock: respx.MockRouter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.json"
    file.write_bytes(orjson.dumps(SCENARIO))
    route = respx_mock.post(f"{PATH}/preview").respond(json=SCENARIO_PREVIEW)
    assert run("scenario", "preview", *NAMED, "--people", "9", str(file)) == 0
    assert orjson.loads(route.calls[0].request.content) == {"scenario": SCENARIO}
    assert route.calls[0].request.url.params["people"] == "9"
    printed = capsys.readouterr().out
    for text in ("80 would enter", "30 again, 10 bought", "3 would be pushed, 35 wait"):
        assert text in printed
    assert run("scenario", "preview", *NAMED) == 0
    assert orjson.loads(route.calls[1].request.content) == {}
