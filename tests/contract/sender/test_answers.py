"""Tests of what every answer of the ops API has, whatever is in it.

No cache keeps it, no browser guesses.
"""

from __future__ import annotations

import re

import httpx

from tests.contract.sender.conftest import Api
from tests.contract.sender.conftest import client as client_of
from tests.contract.sender.planted import KnownPerson
from tests.support.ops_client import Ops


def check(answer: httpx.Response) -> None:
    assert answer.headers["cache-control"] == "no-store", answer.request.url
    assert answer.headers["x-content-type-options"] == "nosniff", answer.request.url


async def test_answers_stay_out_of_caches(api: Api) -> None:
    for path in (
        "/v1/apps",
        "/v1/apps/nobody",
        "/v1/nothing",
        "/v1/tokens",
        "/health/live",
        "/docs",
    ):
        check(await api.call("GET", path))
    check(await api.call("DELETE", "/v1/apps"))
    check(await api.call("PUT", "/v1/apps/demo", content=b"{"))
    async with client_of(api.sender) as nobody:
        check(await nobody.get("/v1/apps"))
    async with client_of(api.sender, "8.8.8.8") as stranger:
        check(await stranger.get("/metrics"))


async def test_exports_stay_out_of_caches(ops: Ops) -> None:
    person = KnownPerson(ops)
    await person.plant()
    answer = await ops.call("GET", f"/v1/people/{person.id}/export")
    assert answer.status_code == 200 and answer.json()["complete"] is True
    check(answer)


async def test_no_redirect_leads_to_the_host_that_was_named(api: Api) -> None:
    for path in ("/health/live/", "/v1/apps/", "/docs/", "/metrics/"):
        answer = await api.call("GET", path, headers={"Host": "evil.example"})
        assert answer.status_code == 404 and "location" not in answer.headers


async def test_docs_work_without_anybody_else(api: Api) -> None:
    page = (await api.call("GET", "/docs")).text
    assert not re.findall(r"<(?:script|link|img|iframe)\b|(?:src|href)=\"(?!#|/openapi)", page)
    document = (await api.call("GET", "/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "Welcome back" in page  # an example
    assert (await api.call("GET", "/redoc")).status_code == 404
    assert (await api.call("GET", "/docs/oauth2-redirect")).status_code == 404
