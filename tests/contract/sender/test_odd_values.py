"""The tables of tests/odd_values through the ops API: apps, campaigns, sends, segments, people."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sender_service.ops.app_body import AppRequest
from shared.models.app import MAX_ALLOWED_LETTERS
from tests.contract.sender.conftest import Api, a_campaign, a_trigger
from tests.odd_values.identity import BAD, EMAILS, LOGINS, NOBODY
from tests.odd_values.links import LINKS, ORIGINS
from tests.odd_values.names import ITEM_IDS, PERSONS, PLAYERS, VISITORS
from tests.odd_values.ranges import COUNTS, NUMBERS
from tests.odd_values.times import CLOCK_TIMES, NO_EPOCHS, NO_ZONE, SEND_TIMES
from tests.support.clocks import START
from tests.support.documents import build_profile, store_people

pytestmark = pytest.mark.stack
KNOWN = ("login", "email", "visitor", "player")


async def test_f18_names_of_a_send(shop: Api) -> None:
    """All odd names of each kind in one list: the good are kept, the bad are counted."""
    tables = {"login": LOGINS, "visitor": VISITORS, "player": PLAYERS, "person": PERSONS}
    rows = [(k, given, becomes) for k, table in tables.items() for given, becomes in table]
    recipients = [{kind: given} for kind, given, _ in rows]
    account = await shop.ok(
        "POST", "/v1/sends", json=a_trigger(audience=None, recipients=recipients)
    )
    assert account["state"] == "planning"
    send = await shop.sender.context.stores.sends.get(account["id"])
    assert send is not None
    kept = [(k, r[k]) for r in send.trigger["recipients"] for k in r if r[k] and k in tables]
    not_one = (NOBODY, BAD, None)
    expected = [(kind, becomes) for kind, _, becomes in rows if becomes not in not_one]
    cut = ("visitor", "a")  # "a\n": a blank at its end falls, as of logins
    assert [name for name in kept if name != cut] == expected
    assert account["people"]["malformed"] == len(rows) - len(kept)
    assert len(account["malformed"]) == min(100, len(rows) - len(kept))
    answer = await shop.ok("GET", f"/v1/sends/{account['id']}")
    assert answer["malformed"] == account["malformed"]
    assert all(set(name) == {"index", "code", "message"} for name in answer["malformed"])


async def test_f18_only_bad_names_are_refused(shop: Api) -> None:
    body = a_trigger(audience={"logins": [None, True, "x" * 257]})
    answer = await shop.call("POST", "/v1/sends", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_recipients")
    assert [e["field"] for e in answer.json()["errors"]] == [
        f"audience.logins.{index}" for index in range(3)
    ]


async def test_times_of_a_send_need_their_zone(shop: Api) -> None:
    for given, becomes in SEND_TIMES:
        answer = await shop.call("POST", "/v1/sends", json=a_trigger(sendAt=given))
        if becomes == NO_ZONE:
            assert (answer.status_code, answer.json()["code"]) == (422, NO_ZONE), given
        elif becomes == "bad":
            assert answer.status_code == 422, given
        else:
            assert answer.status_code == 202, given


async def test_f19_origins_of_an_app(api: Api) -> None:
    for given, becomes in ORIGINS:
        answer = await api.call("PUT", "/v1/apps/demo", json=api.an_app(origins=[given]))
        if becomes is None:
            assert answer.status_code == 422, given
            assert answer.json()["errors"][0]["field"] == "body.origins.0"
        else:
            assert answer.is_success, (given, answer.text)
            assert (await api.ok("GET", "/v1/apps/demo"))["origins"] == [becomes]


async def test_f18_allowed_logins_of_an_app(api: Api) -> None:
    for given, becomes in LOGINS:
        body = api.an_app(allowedLogins=[given])
        answer = await api.call("PUT", "/v1/apps/demo", json=body)
        if becomes in (BAD, None) or len(str(becomes)) > MAX_ALLOWED_LETTERS:
            assert answer.status_code == 422, given
        elif becomes != NOBODY:
            assert answer.is_success, (given, answer.text)
            assert (await api.ok("GET", "/v1/apps/demo"))["allowedLogins"] == [becomes]


async def test_f18_an_app_put_as_answered_loses_nothing(api: Api) -> None:
    before = await api.put_app(allowedLogins=["guest"], maskedParameters=["voucher"])
    assert {field.alias or name for name, field in AppRequest.model_fields.items()} <= set(before)
    again = await api.ok("PUT", "/v1/apps/demo", json=before)
    assert again == before and again["allowedLogins"] == ["guest"]


async def test_f8_links_of_a_campaign(shop: Api) -> None:
    path = "/v1/apps/demo/campaigns/links"
    for link, is_good in LINKS:
        body = a_campaign()
        body["variants"][0]["url"] = link
        answer = await shop.call("PUT", path, json=body)
        assert answer.status_code == (200 if is_good else 422), (link, answer.text)


async def test_d4_quiet_hours_of_a_campaign(shop: Api) -> None:
    path = "/v1/apps/demo/campaigns/hours"
    for given, becomes in CLOCK_TIMES:
        body = a_campaign(policy={"quietHours": {"from": given, "to": "08:00"}})
        answer = await shop.call("PUT", path, json=body)
        assert answer.status_code == (200 if becomes else 422), (given, answer.text)
        if becomes:
            hours = (await shop.ok("GET", path))["policy"]["quietHours"]
            assert hours == {"from": becomes, "to": "08:00"}
    body = a_campaign(policy={"quietHours": {"from": "08:00", "to": "08:00"}})
    assert (await shop.call("PUT", path, json=body)).status_code == 422


async def test_d4_segments_of_a_preview(shop: Api) -> None:
    conditions = [
        *(({"basket": {"total": limits}}, good) for limits, good in NUMBERS),
        *(({"bought": {"count": limits}}, good) for limits, good in COUNTS),
        *(({"viewed": {"items": [item]}}, becomes is not None) for item, becomes in ITEM_IDS),
    ]
    for segment, good in conditions:
        body = a_trigger(audience={"segment": segment})
        answer = await shop.call("POST", "/v1/sends/preview", json=body)
        assert answer.status_code == (200 if good else 422), (segment, answer.text)


async def add_person(api: Api, **names: Any) -> str:
    person = uuid.uuid4().hex
    login, email = names.get("login"), names.get("email")
    visitors = [v for v in [names.get("visitor")] if v]
    players = [p for p in [names.get("player")] if p]
    fields: dict[str, Any] = {
        "login": login,
        "email": email,
        "visitors": visitors,
        "lastSeenAt": START,
    }
    profile = build_profile(person, players=[{"id": player} for player in players], **fields)
    await store_people(api.sender.context.database, profile)
    return person


@pytest.mark.parametrize("kind", KNOWN)
async def test_f18_people_are_found_by_names_as_they_come(shop: Api, kind: str) -> None:
    # Also those that name nobody: a person who was stored under one must be found, and can be erased.
    emails = [("U0@Shop.CZ", "u0@shop.cz"), (" u1@shop.cz\t", "u1@shop.cz"), *EMAILS]
    table: list[tuple[Any, Any]] = {
        "login": LOGINS, "visitor": VISITORS, "player": PLAYERS, "email": emails,
    }[kind]  # fmt: skip
    for given, becomes in table:
        is_name = becomes and becomes not in (NOBODY, BAD) and (kind != "email" or "@" in becomes)
        answer = await shop.call("POST", "/v1/people/search", json={"app": "demo", kind: given})
        if not is_name:
            assert answer.status_code in (200, 422), (given, answer.text)
            continue
        assert (answer.status_code, answer.json()) == (200, {"items": []}), (given, answer.text)
        person = await add_person(shop, **{kind: becomes})
        found = await shop.ok("POST", "/v1/people/search", json={"app": "demo", kind: given})
        assert [item["id"] for item in found["items"]] == [person], given
        await shop.sender.context.database["profiles"].delete_one({"_id": person})
        await shop.sender.context.database["players"].delete_many({"person": person})


async def test_players_of_a_test_push(shop: Api) -> None:
    path = "/v1/apps/demo/campaigns/welcome/test"
    for given, becomes in PLAYERS:
        answer = await shop.call("POST", path, json={"player": given})
        assert answer.is_success is (becomes is not None), (given, answer.text)


async def test_f25_numbers_of_no_moment_are_refused_in_queries(shop: Api) -> None:
    places = ("sends?before", "audit?since", "audit?before", "dead-letters?since",
              "dead-letters?before")  # fmt: skip
    for place in places:
        path, _, field = place.partition("?")
        for moment in NO_EPOCHS:
            answer = await shop.call("GET", f"/v1/{path}", params={field: str(moment)})
            assert answer.status_code == 422, (place, moment)
            assert field in answer.json()["errors"][0]["field"]
            assert "2027-01-31T10:00:00Z" in answer.json()["errors"][0]["message"]
    for moment in NO_EPOCHS:
        token = {"name": "x", "role": "read", "apps": "all", "expiresAt": moment}
        answer = await shop.call("POST", "/v1/tokens", json=token)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.expiresAt")
