"""POST /v1/events: who is nobody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.ingest.requests import EVENTS_URL, pageview
from tests.support.ingest_api import Api, app

SERVER_URL = "/v1/events?key=sk_open"  # whose logins need no proof


def identify(login: Any, **more: Any) -> dict[str, Any]:
    return {"type": "identify", "visitorId": "v", "data": {"login": login, **more}}


@pytest.mark.parametrize(
    "login", ["undefined", "null", 0, "'0'", "[object Object]", "{{ id }}", "u-${id}"]
)
@pytest.mark.parametrize("key", ["wk_open", "sk_open"])
async def test_f01_a_placeholder_is_no_login(
    client: httpx.AsyncClient, api: Api, login: Any, key: str
) -> None:
    events = [identify(login), pageview(), identify(login, email="eva@example.test")]
    answer = await client.post(f"/v1/events?key={key}", json=events)
    body = answer.json()
    assert (answer.status_code, body["accepted"]) == (202, 1)
    found = [(one["index"], one["code"]) for one in body["rejected"]]
    assert found == [(0, "placeholder_login"), (2, "placeholder_login")]
    assert [event.type for event in api.log.events] == ["pageview"]


@pytest.mark.parametrize("login", ["1", "007", "Anna", "eva@example.test", 1])
async def test_f01_a_login_is_a_login(client: httpx.AsyncClient, api: Api, login: Any) -> None:
    assert (await client.post(SERVER_URL, json=identify(login))).status_code == 202
    assert api.log.events[0].data["login"] == str(login)


@pytest.mark.parametrize("visitor", ["undefined", "null", "0", "NaN"])
async def test_f01_a_placeholder_is_no_visitor(client: httpx.AsyncClient, visitor: str) -> None:
    answer = await client.post(EVENTS_URL, json=[pageview(visitorId=visitor), pageview()])
    assert answer.json()["rejected"][0]["code"] == "placeholder_visitor"
    assert answer.json()["accepted"] == 1


async def test_f01_an_app_may_allow_a_real_one(client: httpx.AsyncClient, api: Api) -> None:
    api.apps.take([app("open", allowedLogins=["guest"])])
    assert (await client.post(EVENTS_URL, json=identify("guest"))).status_code == 202
    assert (await client.post(EVENTS_URL, json=identify("null"))).status_code == 422


async def test_f11_a_bad_email_costs_itself(client: httpx.AsyncClient, api: Api) -> None:
    answer = await client.post(SERVER_URL, json=identify("eva", email="not an email"))
    assert (answer.status_code, answer.json()["rejected"]) == (202, [])
    assert [one["field"] for one in answer.json()["warnings"]] == ["data.email"]
    data = api.log.events[0].data
    assert data["login"] == "eva" and "email" not in data
