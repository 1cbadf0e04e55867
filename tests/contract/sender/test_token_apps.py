"""Tokens name their apps: no route shows or changes another app's."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.run_name import run_name
from shared.settings import Settings
from tests.contract.sender.dead_letters import save_dead_letter
from tests.support.ops_client import Ops, a_send, offer, open_ops
from tests.support.scenarios import SMALL
from tests.unit.sender.scenario_builders import HOUR, run_of

P = "/v1/people/{person}"
C = "/v1/apps/{app}/campaigns/{campaign}"
S = "/v1/apps/{app}/scenarios/{scenario}"
SEND = str(uuid.uuid4())


@dataclass(frozen=True)
class Try:
    """Answer that a token of another app must get, and the body of its request."""

    code: str
    body: Any = None


FOREIGN_PATH = Try("app_not_allowed")
UNKNOWN_SEND, UNKNOWN_PERSON = Try("unknown_send"), Try("unknown_person")
UNKNOWN_DEAD_LETTER = Try("unknown_dead_letter")
EMPTY = Try("empty")  # a list in which nothing is
TRIGGER = {"id": SEND, "app": "shop", "campaign": "hello", "audience": {"all": True}}
ROUTES: dict[str, Try] = {
    "GET /v1/apps": Try("own"),
    "GET /v1/apps/{app}": FOREIGN_PATH,
    "PUT /v1/apps/{app}": FOREIGN_PATH,
    "POST /v1/apps/{app}/resume": FOREIGN_PATH,
    "POST /v1/apps/{app}/test-connection": FOREIGN_PATH,
    "GET /v1/apps/{app}/report": FOREIGN_PATH,
    "GET /v1/apps/{app}/campaigns": FOREIGN_PATH,
    f"GET {C}": FOREIGN_PATH,
    f"PUT {C}": FOREIGN_PATH,
    f"POST {C}/test": FOREIGN_PATH,
    f"GET {C}/report": FOREIGN_PATH,
    f"GET {C}/versions": FOREIGN_PATH,
    f"GET {C}/versions/{{version}}": FOREIGN_PATH,
    "GET /v1/apps/{app}/scenarios": FOREIGN_PATH,
    f"GET {S}": FOREIGN_PATH,
    f"PUT {S}": FOREIGN_PATH,
    f"DELETE {S}": FOREIGN_PATH,
    f"GET {S}/versions": FOREIGN_PATH,
    f"GET {S}/people": FOREIGN_PATH,
    f"POST {S}/people/{{run}}/end": FOREIGN_PATH,
    f"GET {S}/firings": FOREIGN_PATH,
    f"POST {S}/preview": FOREIGN_PATH,
    f"POST {S}/simulate": Try("app_not_allowed", {"days": 1}),
    f"GET {S}/simulations/{{n}}": FOREIGN_PATH,
    f"POST {S}/test": Try("app_not_allowed", {"player": SEND, "step": "hour"}),
    f"POST {S}/backfill": FOREIGN_PATH,
    f"GET {S}/backfills/{{n}}": FOREIGN_PATH,
    "GET /v1/scenario-templates": Try("of no app"),
    "GET /v1/apps/{app}/keys": FOREIGN_PATH,
    "POST /v1/apps/{app}/keys": Try("app_not_allowed", {"kind": "server"}),
    "DELETE /v1/apps/{app}/keys/{key}": FOREIGN_PATH,
    "POST /v1/apps/{app}/keys/{key}/rotate": FOREIGN_PATH,
    "GET /v1/sends": Try("own"),
    "POST /v1/sends": Try("app_not_allowed", TRIGGER),
    "POST /v1/sends/preview": Try("app_not_allowed", TRIGGER),
    "GET /v1/sends/{send}": UNKNOWN_SEND,
    "POST /v1/sends/{send}/pause": UNKNOWN_SEND,
    "POST /v1/sends/{send}/resume": UNKNOWN_SEND,
    "POST /v1/sends/{send}/cancel": UNKNOWN_SEND,
    "POST /v1/people/search": Try("app_not_allowed", {"app": "shop", "login": "ann"}),
    f"GET {P}": UNKNOWN_PERSON,
    f"GET {P}/why": UNKNOWN_PERSON,
    f"GET {P}/export": UNKNOWN_PERSON,
    f"POST {P}/erase": UNKNOWN_PERSON,
    f"POST {P}/merges/undo": Try("unknown_person", {"merge": "a" * 32}),
    "GET /v1/dead-letters": EMPTY,
    "POST /v1/dead-letters/replay": Try("unreplayed"),
    "GET /v1/dead-letters/{letter}": UNKNOWN_DEAD_LETTER,
    "POST /v1/dead-letters/{letter}/replay": UNKNOWN_DEAD_LETTER,
    "GET /v1/tokens": Try("own"),
    "POST /v1/tokens": Try("app_not_allowed", {"name": "x", "role": "read", "apps": ["shop"]}),
    "DELETE /v1/tokens/{token}": Try("unknown_token"),
    "GET /v1/audit": Try("own"),
}


@dataclass(frozen=True)
class Two:
    """Two apps, of which the token holds `other`; everything in the places is of `shop`."""

    ops: Ops
    token: str
    places: dict[str, str]

    async def ask(self, route: str, body: Any = None, token: str | None = None) -> httpx.Response:
        method, path = route.split()
        path = re.sub(r"{(\w+)}", lambda place: self.places[place[1]], path)
        more = {} if method == "GET" else {"json": {} if body is None else body}
        return await self.ops.call(method, path, token or self.token, **more)


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[Two]:
    async with open_ops(settings) as ops:
        await ops.open_app("shop")
        await ops.open_app("other")
        await ops.ok("POST", "/v1/apps/shop/keys", json={"kind": "write", "id": "web"})
        await ops.ok("PUT", "/v1/apps/shop/scenarios/basket", json=SMALL)
        person = await ops.add_person(login="ann")
        await ops.database["sends"].insert_one(a_send(SEND, ops.clock))
        run = replace(run_of(), app="shop", person=person["_id"])
        await ops.context.stores.runs.insert([run])
        await ops.ok("POST", "/v1/apps/shop/scenarios/basket/simulate", json={"days": 1})
        now = ops.clock()
        backfill = Backfill(
            app="shop", scenario="basket", version=1, since=now, until=now, spread=HOUR
        )
        await ops.context.stores.backfills.begin(backfill)
        dead_letter = await save_dead_letter(ops, b'{"app": "shop"}')
        await ops.token("read", apps=["shop"])
        (listed,) = (await ops.ok("GET", "/v1/tokens"))["items"]
        places = {
            "app": "shop", "campaign": "hello", "version": "1", "person": person["_id"],
            "send": SEND, "letter": dead_letter.id, "token": listed["id"], "key": "web",
            "scenario": "basket", "run": run_name(run), "n": "1",
        }  # fmt: skip
        yield Two(ops, await ops.token("admin", apps=["other"]), places)


def _shows_own_only(answer: httpx.Response) -> bool:
    return answer.is_success and "shop" not in answer.text.replace("https://shop", "")


async def test_b7_every_route_is_closed_to_a_token_of_another_app(two: Two) -> None:
    paths = (await two.ops.http.get("/openapi.json")).json()["paths"]
    there = {f"{m.upper()} {p}" for p, of in paths.items() for m in of if p.startswith("/v1")}
    assert there == set(ROUTES), "say here what a token of another app is answered"
    dead_letter = {"ids": [two.places["letter"]]}
    before = [await two.ops.database[n].find({}).to_list(None) for n in ("sends", "apps", "tokens")]
    for route, tried in ROUTES.items():
        answer = await two.ask(route, dead_letter if tried.code == "unreplayed" else tried.body)
        if tried.code == "own":
            assert _shows_own_only(answer), f"{route}: {answer.text}"
        elif tried.code == "of no app":
            assert answer.is_success, route
        elif tried.code == "empty":
            assert answer.json() == {"items": []}, route
        elif tried.code == "unreplayed":
            (item,) = answer.json()["items"]
            assert (item["replayed"], item["code"]) == (False, "unknown_dead_letter")
        else:
            assert (answer.status_code in (403, 404)) and answer.json()["code"] == tried.code, (
                f"{route}: {answer.text}"
            )
    after = [await two.ops.database[n].find({}).to_list(None) for n in ("sends", "apps", "tokens")]
    unused = [[{**d, "lastUsedAt": None} for d in some] for some in after]
    assert unused == [[{**d, "lastUsedAt": None} for d in some] for some in before]
    assert not two.ops.log.records


async def test_b7_every_route_is_open_to_a_token_of_the_app(two: Two) -> None:
    token = await two.ops.token("admin", apps=["shop", "other"])
    for route, tried in ROUTES.items():
        if route.startswith("DELETE") or "erase" in route:
            continue
        answer = await two.ask(route, tried.body, token)
        assert answer.status_code not in (401, 403, 404), f"{route}: {answer.text}"


async def test_b7_list_over_http_is_closed_before_it_is_read(two: Two) -> None:
    head = b'{"id": "%s", "app": "shop", "campaign": "hello"}\n' % SEND.encode()
    for path in ("/v1/sends", "/v1/sends/preview"):
        answer = await two.ops.http.post(
            path, content=head + b"no json\n",
            headers={"Authorization": f"Bearer {two.token}", "Content-Type": "application/x-ndjson"},
        )  # fmt: skip
        assert answer.json()["code"] == "app_not_allowed"


async def test_b7_nobody_makes_a_token_with_more_than_their_own(two: Two) -> None:
    for apps in ("all", ["shop"], ["other", "shop"]):
        body = {"name": "x", "role": "read", "apps": apps}
        answer = await two.ops.call("POST", "/v1/tokens", two.token, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "app_not_allowed")
    made = await two.ops.token("admin", apps=["other"])
    own = {"name": "x", "role": "read", "apps": ["other"]}
    assert (await two.ops.call("POST", "/v1/tokens", made, json=own)).status_code == 201


async def test_b7_new_app_is_for_all(two: Two) -> None:
    one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_secret"}
    body = {"name": "Other", "oneSignal": one_signal}
    assert (await two.ops.call("PUT", "/v1/apps/other", two.token, json=body)).status_code == 200
    await two.ops.database["apps"].delete_one({"_id": "other"})
    answer = await two.ops.call("PUT", "/v1/apps/other", two.token, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "app_not_allowed")


async def test_b7_dead_letter_without_app_is_for_all(two: Two) -> None:
    nobodys, own = (
        await save_dead_letter(two.ops, b"no json"),
        await save_dead_letter(two.ops, b'{"app": "other"}'),
    )
    found = (await two.ops.ok("GET", "/v1/dead-letters", two.token))["items"]
    assert [item["id"] for item in found] == [own.id]
    answer = await two.ops.call("GET", f"/v1/dead-letters/{nobodys.id}", two.token)
    assert answer.status_code == 404
    assert len((await two.ops.ok("GET", "/v1/dead-letters"))["items"]) == 3


async def test_b7_audit_shows_what_was_done_with_the_own_app(two: Two) -> None:
    campaign = "/v1/apps/{}/campaigns/new"
    for app in ("shop", "other"):
        await two.ops.ok("PUT", campaign.format(app), json=offer())
    await two.ops.ok("POST", f"/v1/sends/{SEND}/pause")
    shop = await two.ops.token("admin", apps=["shop"])
    seen = (await two.ops.ok("GET", "/v1/audit", shop))["items"]
    assert {item["app"] for item in seen} == {"shop"}
    assert any(item["route"] == "/v1/sends/{send}/pause" for item in seen)


async def test_b7_token_for_an_app_that_is_not_there_is_refused(two: Two) -> None:
    body = {"name": "x", "role": "read", "apps": ["shpo"]}
    answer = await two.ops.call("POST", "/v1/tokens", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_app")
    assert answer.json()["errors"][0]["field"] == "body.apps.0"


@pytest.mark.parametrize("apps", [None, [], "demo", ["a"] * 101])
async def test_b7_token_lists_its_apps(two: Two, apps: object) -> None:
    body = {"name": "x", "role": "read", **({} if apps is None else {"apps": apps})}
    answer = await two.ops.call("POST", "/v1/tokens", json=body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"].startswith("body.apps")


async def test_b7_token_from_before_has_all_as_it_had(two: Two) -> None:
    await two.ops.database["tokens"].update_many({}, {"$unset": {"apps": ""}})
    assert len((await two.ops.ok("GET", "/v1/apps", two.token))["items"]) == 2
    assert all(t["apps"] == "all" for t in (await two.ops.ok("GET", "/v1/tokens"))["items"])
