"""The OpenAPI document: every body has an example, every route its security and its errors."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from sender_service.models.campaign import CampaignBody
from sender_service.ops.app_body import AppRequest
from sender_service.ops.app_examples import APP
from sender_service.ops.examples import CAMPAIGN
from tests.contract.sender.conftest import Api
from tests.support.ops_client import Ops

METHODS = ("get", "put", "post", "delete")


@pytest.fixture
def ops(empty_ops: Ops) -> Ops:
    return empty_ops


async def document(ops: Ops) -> Any:
    answer = await ops.http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def routes(document: Any) -> dict[str, Any]:
    return {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and path.startswith("/v1/")
    }


def has_example(document: Any, content: Any) -> bool:
    media = next(iter(content.values()))
    schema = media.get("schema", {})
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    shared = document["components"]["schemas"].get(name, {})
    return any("example" in at or "examples" in at for at in (media, schema, shared))


async def test_every_body_has_an_example(ops: Ops) -> None:
    found = await document(ops)
    bodies = {
        n: r["requestBody"]["content"] for n, r in routes(found).items() if "requestBody" in r
    }
    assert len(bodies) >= 7
    assert [name for name, content in bodies.items() if not has_example(found, content)] == []


async def test_every_route_reports_its_security_and_errors(ops: Ops) -> None:
    for name, route in routes(await document(ops)).items():
        assert route["security"] == [{"HTTPBearer": []}], name
        assert {"401", "403", "404", "422", "503"} <= set(route["responses"]), name
        refusal = route["responses"]["422"]["content"]["application/json"]
        assert refusal["schema"]["$ref"].endswith("/Problem"), name


async def test_every_route_states_what_it_does(ops: Ops) -> None:
    silent = {"get /v1/apps", "get /v1/apps/{app}"}
    described = {n for n, route in routes(await document(ops)).items() if route.get("description")}
    assert {
        name for name in routes(await document(ops)) if "campaigns" not in name
    } - described <= silent


STREAMS = {"get /v1/people/{person}/export"}


async def test_every_answer_has_its_shape_and_an_example(ops: Ops) -> None:
    found = await document(ops)
    for name, route in routes(found).items():
        (media,) = (
            answer["content"]["application/json"]
            for status, answer in route["responses"].items()
            if status.startswith("2")
        )
        if name not in STREAMS:
            assert "$ref" in media["schema"] and "example" in media, name


async def test_examples_are_answers_word_for_word(api: Api) -> None:
    """Check that each example comes back from its own JSON: commands read by the same models."""
    tried = 0
    routers = (getattr(each, "original_router", None) for each in api.sender.api().routes)
    for route in (route for router in routers if router for route in router.routes):
        if not isinstance(route, APIRoute) or route.response_model is None:
            continue
        examples = [
            answer["content"]["application/json"]["example"]
            for status, answer in route.responses.items()
            if str(status).startswith("2")
        ]
        model = TypeAdapter[Any](route.response_model)
        for example in examples:
            read = model.validate_json(orjson.dumps(example))
            assert model.dump_python(read, mode="json", by_alias=True) == example, route.path
            tried += 1
    assert tried > 30


def test_examples_are_what_the_api_takes() -> None:
    assert AppRequest.model_validate(APP).name == "Demo shop"
    assert CampaignBody.model_validate(CAMPAIGN).variants[0].id == "a"
