"""POST /v1/events: a server's event that names a login instead of a visitor."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import httpx
import pytest

from ingest_service.projector.person_ids import PersonIds
from tests.odd_values.identity import BAD, LOGINS, NOBODY
from tests.support.ingest_api import VAULT, Api, app

SERVER_URL = "/v1/events?key=sk_open"
PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"
EVA = "eva@example.test"


def purchase(**more: Any) -> dict[str, Any]:
    order = {"id": "o-1", "items": [{"item": "shoe", "quantity": 1, "price": 10}]}
    return {"type": "purchase", "login": EVA, "data": order, **more}


def visitor_of(login: str, name: str = "open") -> str:
    return PersonIds(VAULT.derive("person")).visitor_of_login(name, login)


async def test_login_gets_a_visitor_of_its_own(client: httpx.AsyncClient, api: Api) -> None:
    opened = {"type": "cart.opened", "login": 7, "visitorId": None}
    answer = await client.post(SERVER_URL, json=[purchase(), purchase(login="adam"), opened])
    assert answer.json() == {"accepted": 3, "rejected": []}
    events = api.log.events
    assert [event.login for event in events] == [EVA, "adam", "7"]
    assert [event.visitor_id for event in events] == [visitor_of(n) for n in (EVA, "adam", "7")]
    assert all(event.key == event.visitor_id and event.source == "server" for event in events)
    assert events[0].visitor_id is not None and events[0].visitor_id.startswith("login:")
    assert len({event.visitor_id for event in events}) == 3 and EVA not in str(events[0].visitor_id)


async def test_visitor_is_the_apps_own(client: httpx.AsyncClient, api: Api) -> None:
    for _ in range(2):
        await client.post("/v1/events?key=sk_shop", json=purchase())
    await client.post(SERVER_URL, json=purchase())
    shop, again, other = (event.visitor_id for event in api.log.events)
    assert shop == again == visitor_of(EVA, "shop") and other == visitor_of(EVA)


@pytest.mark.parametrize(
    ("event", "field", "code"),
    [
        (purchase(login=""), "login", "missing"),
        (purchase(login=True), "login", "id_type"),
        (purchase(login=["a"]), "login", "id_type"),
        (purchase(login="x" * 257), "login", "too_long"),
        (purchase(login="undefined"), "login", "placeholder_login"),
        (purchase(login="{{ customer.id }}"), "login", "placeholder_login"),
        (purchase(login=None), "visitorId", "missing"),
        (purchase(visitorId="undefined"), "visitorId", "placeholder_visitor"),
        (purchase(visitorId="a b"), "visitorId", "string_pattern_mismatch"),
        ({"type": "logout", "login": EVA}, "login", "login_needs_browser"),
        (
            {"type": "oneSignal", "login": EVA,
             "data": {"playerID": PLAYER, "status": "subscribed"}},
            "login", "login_needs_browser",
        ),
        (
            {"type": "oneSignalWebhook", "login": EVA,
             "data": {"kind": "click", "playerID": PLAYER, "notificationId": PLAYER}},
            "login", "login_needs_browser",
        ),
        (
            {"type": "identify", "login": EVA, "data": {"login": "adam"}},
            "data.login", "login_differs",
        ),
        ({"type": "pageview", "visitorId": "login:abc"}, "visitorId", "reserved_visitor"),
        ({"type": "pageview", "visitorId": visitor_of(EVA)}, "visitorId", "reserved_visitor"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(
    client: httpx.AsyncClient, api: Api, caplog: pytest.LogCaptureFixture,
    event: dict[str, Any], field: str, code: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG, "carillon")
    answer = await client.post(SERVER_URL, json=event)
    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in errors] == [(f"events.0.{field}", code)]
    assert EVA not in answer.text and EVA not in caplog.text
    good = await client.post(SERVER_URL, json=[event, purchase()])
    assert (good.status_code, good.json()["accepted"]) == (202, 1)
    assert [(r["index"], r["code"]) for r in good.json()["rejected"]] == [(0, code)]
    assert EVA not in caplog.text and len(api.log.events) == 1


@pytest.mark.parametrize("key", ["wk_open", "wk_proof", "wk_optional"])
async def test_write_key_names_a_visitor(client: httpx.AsyncClient, api: Api, key: str) -> None:
    answer = await client.post(f"/v1/events?key={key}", json=purchase())
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("events.0.login", "login_needs_server_key")
    assert "visitorId" in error["message"] and not api.log.events


@pytest.mark.parametrize("key", ["wk_open", "sk_open"])
async def test_login_beside_a_visitor_is_left_out(
    client: httpx.AsyncClient, api: Api, key: str
) -> None:
    answer = await client.post(f"/v1/events?key={key}", json=purchase(visitorId="v"))
    (warning,) = answer.json()["warnings"]
    assert (warning["field"], warning["code"]) == ("login", "login_beside_visitor")
    assert (api.log.events[0].visitor_id, api.log.events[0].login) == ("v", None)


async def test_odd_logins_are_read_as_an_identify_reads_them(
    client: httpx.AsyncClient, api: Api
) -> None:
    for given, becomes in LOGINS:
        if given in (None, ""):
            continue
        api.log.records.clear()
        answer = await client.post(SERVER_URL, json=purchase(login=given))
        identify = {"type": "identify", "visitorId": "v", "data": {"login": given}}
        as_before = await client.post(SERVER_URL, json=identify)
        assert answer.status_code == as_before.status_code, given
        if becomes in (NOBODY, BAD, None):
            assert answer.status_code == 422, given
        else:
            by_login, identified = api.log.events
            assert by_login.login == identified.data["login"] == becomes
            assert by_login.visitor_id == visitor_of(becomes)


async def test_app_may_allow_a_login_that_looks_like_none(
    client: httpx.AsyncClient, api: Api
) -> None:
    api.apps.take([app("open", allowedLogins=["guest"])])
    assert (await client.post(SERVER_URL, json=purchase(login="guest"))).status_code == 202
    assert (await client.post(SERVER_URL, json=purchase(login="null"))).status_code == 422


async def test_identify_may_bring_an_email(client: httpx.AsyncClient, api: Api) -> None:
    for data in ({"email": EVA}, {"email": EVA, "login": " eva "}):
        event = {"type": "identify", "login": "eva", "data": data}
        answer = await client.post(SERVER_URL, json=event)
        assert answer.json() == {"accepted": 1, "rejected": []}
    assert [event.data["proven"] for event in api.log.events] == [True, True]


async def test_events_of_one_login_keep_their_order(client: httpx.AsyncClient, api: Api) -> None:
    at = "2026-11-22T11:00:00Z"
    body = [purchase(id=str(uuid.uuid4()), occurredAt=at) for _ in range(3)]
    await client.post(SERVER_URL, json=body)
    times = [event.occurred_at for event in api.log.events]
    assert sorted(set(times)) == times and len(times) == 3


async def test_each_costs_its_key_as_any_event(client: httpx.AsyncClient, api: Api) -> None:
    # A server's key pays a unit an event; its address has no limit.
    body = [purchase() for _ in range(500)]
    statuses = [(await client.post(SERVER_URL, json=body)).status_code for _ in range(5)]
    assert statuses == [202] * 4 + [429]


async def test_it_can_be_checked(client: httpx.AsyncClient, api: Api) -> None:
    answer = await client.post("/v1/check?key=sk_open", json=[purchase(), purchase(login=True)])
    assert [r["code"] for r in answer.json()["rejected"]] == ["id_type"]
    assert not api.log.records


async def test_openapi_has_it(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]["Event"]["anyOf"]
    named = {str(one["properties"]["type"].get("const")): one for one in schemas}
    with_login = {name for name, one in named.items() if "login" in one["properties"]}
    assert with_login == set(named) - {"logout", "oneSignal", "oneSignalWebhook"}
    assert named["purchase"]["required"] == ["type"] and named["logout"]["required"] == [
        "type",
        "visitorId",
    ]
