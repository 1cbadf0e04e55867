"""Tests of what is seeded: only what is absent, as the ops API takes it, with texts that render."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from deploy.local import demo, demo_scenarios
from deploy.local.seed import Seeder
from deploy.local.settings import LocalSettings, choose_ports
from sender_service.models.campaign import CampaignBody
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.ops.scenario_templates import load_templates
from sender_service.planner.rendering import Renderer
from shared.settings import Settings
from tests.support.documents import build_profile

OPS = "Bearer ops_demo"
SHOP = "http://127.0.0.1:8099"
TEMPLATES = [one.model_dump(mode="json", by_alias=True) for one in load_templates()]
SCENARIOS = demo_scenarios.scenarios(TEMPLATES)
CAMPAIGNS = demo_scenarios.campaigns(TEMPLATES, SHOP) | demo.campaigns(SHOP)


class Server:
    """The sandbox and both services in one: a GET finds what was PUT, ingest a little later."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.puts: list[str] = []
        self.ingest_refuses = 2  # times, before it knows the app

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/profile":
            self.ingest_refuses -= 1
            return httpx.Response(401 if self.ingest_refuses >= 0 else 200)
        if path.startswith("/v1/") and request.headers.get("authorization") != OPS:
            return httpx.Response(401, json={"code": "unauthorized"})
        if request.method == "PUT":
            self.puts.append(path)
            self.kept[path] = json.loads(request.content)
            return httpx.Response(200, json={})
        if path == "/v1/scenario-templates":
            return httpx.Response(200, json={"items": TEMPLATES})
        if path.endswith(("/campaigns", "/scenarios")):
            ids = [kept.removeprefix(f"{path}/") for kept in self.kept if kept.startswith(path)]
            return httpx.Response(200, json={"items": [{"id": id} for id in ids]})
        return httpx.Response(200 if path in self.kept else 404, json={})


@pytest.fixture
def server() -> Server:
    return Server()


def seeder(server: Server, settings: Settings, token: str = "ops_demo") -> Seeder:
    client = httpx.AsyncClient(transport=httpx.MockTransport(server.answer))
    local = LocalSettings()
    return Seeder(client, choose_ports(settings, local), local, token)


async def test_everything_is_seeded_once(server: Server) -> None:
    first = await seeder(server, Settings(development=True))()
    assert len(first) == 4
    assert server.ingest_refuses < 0  # and ingest takes events
    assert set(server.puts) == {
        "/sandbox/apps/5eed0000-ca21-4110-8000-0000000de300",
        "/v1/apps/demo",
        *(f"/v1/apps/demo/campaigns/{id}" for id in CAMPAIGNS),
        *(f"/v1/apps/demo/scenarios/{id}" for id in SCENARIOS),
    }
    seeded = len(server.puts)
    assert await seeder(server, Settings(development=True))() == []
    assert len(server.puts) == seeded


async def test_later_edits_survive(server: Server) -> None:
    server.kept["/v1/apps/demo/campaigns/welcome"] = {"name": "edited"}
    await seeder(server, Settings(development=True))()
    assert server.kept["/v1/apps/demo/campaigns/welcome"] == {"name": "edited"}
    assert "/v1/apps/demo/campaigns/abandoned-basket" in server.kept


async def test_keys_are_those_that_are_printed(server: Server) -> None:
    await seeder(server, Settings(development=True))()
    app = server.kept["/v1/apps/demo"]
    keys = {key["kind"]: key["key"] for key in app["keys"]}
    assert keys["write"] == "wk_demo"
    assert keys["webhook"] == "wh_demo"
    assert keys["stream"] == "es_demo"
    assert app["origins"] == ["http://127.0.0.1:8099", "http://localhost:8099"]
    sandbox = server.kept[f"/sandbox/apps/{app['oneSignal']['appId']}"]
    assert sandbox["rest_api_key"] == app["oneSignal"]["restApiKey"]


async def test_foreign_onesignal_is_left_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_ONESIGNAL__BASE_URL", "https://api.onesignal.com")
    await seeder(server, Settings(development=True))()
    assert "/v1/apps/demo" in server.kept
    assert not any(path.startswith("/sandbox") for path in server.puts)


async def test_refusal_is_reported_and_the_stack_runs_on(server: Server) -> None:
    body = await seeder(server, Settings(development=True), token="other")()
    assert "can't be seeded" in body[-1]
    assert "401" in body[-1]


BASKETS: list[dict[str, Any]] = [
    {},
    {"basket": None},
    {"basket": {}},
    {"basket": {"items": []}},
    {"basket": {"items": [{"item": "1"}]}},
    {"basket": {"items": [{"item": "1"}, {"item": "2"}, {"item": "3"}]}},
]


@pytest.mark.parametrize("language", ["en", "de", "cs", "fr"])
@pytest.mark.parametrize("profile", BASKETS)
@pytest.mark.parametrize("name", demo.CAMPAIGNS)
def test_texts_render_for_everyone(name: str, profile: dict[str, Any], language: str) -> None:
    campaign = CampaignBody.model_validate(demo.campaigns(SHOP)[name])
    [variant] = campaign.variants
    push = Renderer({}).render(variant, build_profile("p", **profile, language=language), {})
    assert push.title
    items = (profile.get("basket") or {}).get("items") or []
    names_count = str(len(items)) in push.text
    assert names_count == (name == "abandoned-basket" and len(items) > 1)


def test_only_the_abandoned_basket_is_on_and_waits_a_minute() -> None:
    assert SCENARIOS.keys() == {template["id"] for template in TEMPLATES}
    assert [id for id, body in SCENARIOS.items() if body["enabled"]] == ["abandoned-basket"]
    for id, body in SCENARIOS.items():
        scenario = ScenarioRequest.model_validate(body).to_scenario("demo", id)
        assert {step.campaign for step in scenario.steps} <= CAMPAIGNS.keys()
    body = SCENARIOS["abandoned-basket"]
    assert body["steps"][0]["after"] == {"minutes": 1, "of": "silence"}
    assert "if" not in body  # any basket will do


@pytest.mark.parametrize("id", CAMPAIGNS)
def test_campaigns_lead_to_the_shop_in_three_languages(id: str) -> None:
    for variant in CampaignBody.model_validate(CAMPAIGNS[id]).variants:
        assert (variant.url or "").startswith(f"{SHOP}/")
        assert variant.headings.keys() == variant.contents.keys() == {"en", "de", "cs"}


@pytest.mark.parametrize("language", ["en", "de", "cs"])
@pytest.mark.parametrize(
    ("variables", "is_named"),
    [
        ({"item": {"id": "202"}}, True),
        ({"item": {"id": "old"}}, False),
        ({"items": []}, False),
        ({}, False),
    ],
)
def test_reminder_names_her_item(language: str, variables: dict[str, Any], is_named: bool) -> None:
    [variant] = CampaignBody.model_validate(CAMPAIGNS["basket-1"]).variants
    push = Renderer({}).render(variant, build_profile("p", language=language), variables)
    assert ("Window chime" in push.text) == is_named
