"""Tokens, roles and the audit trail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.support.ops_client import ADMIN, Ops

P = "/v1/people/{person}"
C = "/v1/apps/{app}/campaigns/{campaign}"
S = "/v1/apps/{app}/scenarios/{scenario}"
LEAST_ROLES = {
    "read": (
        "GET /v1/apps", "GET /v1/apps/{app}", "GET /v1/apps/{app}/report",
        "GET /v1/apps/{app}/campaigns", f"GET {C}", f"GET {C}/report", f"GET {C}/versions",
        f"GET {C}/versions/{{version}}", "GET /v1/sends/{send}", "POST /v1/people/search",
        "GET /v1/sends", "GET /v1/apps/{app}/keys",
        f"GET {P}", f"GET {P}/why", "GET /v1/dead-letters",
        "GET /v1/apps/{app}/scenarios", f"GET {S}", f"GET {S}/versions", "GET /v1/scenario-templates",
        f"GET {S}/people", f"GET {S}/firings",
        f"GET {S}/simulations/{{n}}", f"GET {S}/backfills/{{n}}",
    ),
    "operate": (
        f"PUT {C}", f"POST {C}/test", f"PUT {S}", f"DELETE {S}", f"POST {S}/people/{{run}}/end",
        f"POST {S}/test", f"POST {S}/preview", f"POST {S}/simulate", f"POST {S}/backfill",
        "POST /v1/apps/{app}/resume",
        "POST /v1/apps/{app}/test-connection", "POST /v1/sends", "POST /v1/sends/preview",
        "POST /v1/sends/{send}/pause", "POST /v1/sends/{send}/resume",
        "POST /v1/sends/{send}/cancel", "POST /v1/dead-letters/replay",
        "POST /v1/dead-letters/{letter}/replay",
    ),
    "admin": (
        "POST /v1/apps/{app}/keys", "POST /v1/apps/{app}/keys/{key}/rotate",
        "DELETE /v1/apps/{app}/keys/{key}",
        "PUT /v1/apps/{app}", "GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{token}",
        "GET /v1/audit", f"GET {P}/export", f"POST {P}/erase", f"POST {P}/merges/undo",
        "GET /v1/dead-letters/{letter}",
    ),
}  # fmt: skip
PLACES = {"app": "shop", "campaign": "hello", "version": "1", "person": "a" * 32}
NOBODYS = "4a1e4d1c-6a51-5a4f-9a45-0b1f3c2d4e5f"
RANKS = ("read", "operate", "admin")


@pytest.fixture
def ops(empty_ops: Ops) -> Ops:
    return empty_ops


async def test_each_route_needs_its_role(ops: Ops) -> None:
    tokens = {role: await ops.token(role) for role in RANKS}
    for least, routes in LEAST_ROLES.items():
        for route in routes:
            method, path = route.split()
            path = re.sub(r"{(\w+)}", lambda place: PLACES.get(place[1], NOBODYS), path)
            for role in RANKS:
                answer = await ops.call(method, path, tokens[role], json={})
                may = RANKS.index(role) >= RANKS.index(least)
                refused = (answer.status_code, answer.json().get("code")) == (403, "role_too_low")
                assert refused != may, f"{role} {route}: {answer.status_code}"


async def test_no_route_is_forgotten(ops: Ops) -> None:
    paths = (await ops.http.get("/openapi.json")).json()["paths"]
    there = {f"{m.upper()} {p}" for p, of in paths.items() for m in of if p.startswith("/v1/")}
    assert there == {route for routes in LEAST_ROLES.values() for route in routes}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic b3BzX2RlbW8=", "ops_demo"])
async def test_without_a_valid_token_nothing_is_returned(ops: Ops, header: str) -> None:
    answer = await ops.http.get("/v1/apps", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_token_is_returned_once_and_stored_hashed(ops: Ops) -> None:
    secret = await ops.token("read")
    stored = await ops.database["tokens"].find_one({})
    assert stored is not None
    assert secret not in str(stored)
    (listed,) = (await ops.ok("GET", "/v1/tokens"))["items"]
    assert secret not in str(listed) and "hash" not in listed
    assert listed["createdBy"] == "bootstrap"


async def test_use_is_noted_once_an_hour(ops: Ops) -> None:
    token = await ops.token("read")
    await ops.ok("GET", "/v1/apps", token)
    (first,) = (await ops.ok("GET", "/v1/tokens"))["items"]
    ops.clock.advance(60)
    await ops.ok("GET", "/v1/apps", token)
    assert (await ops.ok("GET", "/v1/tokens"))["items"] == [first]
    ops.clock.advance(3_600)
    await ops.ok("GET", "/v1/apps", token)
    (later,) = (await ops.ok("GET", "/v1/tokens"))["items"]
    assert later["lastUsedAt"] > first["lastUsedAt"]


async def test_removed_token_ends_within_five_seconds(ops: Ops) -> None:
    token = await ops.token("admin")
    await ops.ok("GET", "/v1/apps", token)
    (listed,) = (await ops.ok("GET", "/v1/tokens"))["items"]
    await ops.ok("DELETE", f"/v1/tokens/{listed['id']}")
    ops.clock.advance(5)
    assert (await ops.call("GET", "/v1/apps", token)).status_code == 401
    again = await ops.call("DELETE", f"/v1/tokens/{listed['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_token")


async def test_expired_token_is_refused_at_once(ops: Ops) -> None:
    ends = ops.clock() + timedelta(seconds=2)
    token = await ops.token("read", expiresAt=ends.isoformat())
    await ops.ok("GET", "/v1/apps", token)
    ops.clock.advance(2)
    assert (await ops.call("GET", "/v1/apps", token)).status_code == 401


async def test_token_that_has_expired_already_is_not_made(ops: Ops) -> None:
    body = {"name": "x", "role": "read", "apps": "all", "expiresAt": "2020-01-01T00:00:00Z"}
    answer = await ops.call("POST", "/v1/tokens", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "already_expired")


async def test_changes_are_audited_without_their_content(ops: Ops) -> None:
    token = await ops.token("read")
    ops.clock.advance(1)
    await ops.open_app()
    ops.clock.advance(1)
    await ops.call("PUT", "/v1/apps/shop", token, json={"name": "secret name"})
    await ops.ok("GET", "/v1/apps")
    trail = (await ops.ok("GET", "/v1/audit"))["items"]
    audited = [(d["method"], d["route"], d["target"], d["status"], d["who"]["role"]) for d in trail]
    assert audited[0] == ("PUT", "/v1/apps/{app}", {"app": "shop"}, 403, "read")
    campaign = {"app": "shop", "campaign": "hello"}
    route = "/v1/apps/{app}/campaigns/{campaign}"
    assert ("PUT", route, campaign, 200, "admin") in audited[1:3]
    assert ("PUT", "/v1/apps/{app}", {"app": "shop"}, 200, "admin") in audited[1:3]
    assert audited[3][:2] == ("POST", "/v1/tokens")
    assert len(audited) == 4  # reading leaves nothing
    assert "secret" not in str(trail) and ADMIN not in str(trail) and token not in str(trail)


async def test_strangers_leave_no_trail(ops: Ops) -> None:
    await ops.call("POST", "/v1/tokens", "wrong", json={})
    assert (await ops.ok("GET", "/v1/audit"))["items"] == []


async def test_audit_pages_backwards(ops: Ops) -> None:
    for _ in range(5):
        await ops.token("read")
        ops.clock.advance(40_000)
    first = (await ops.ok("GET", "/v1/audit?limit=2"))["items"]
    params = {"limit": 10, "before": first[-1]["at"]}
    rest = (await ops.ok("GET", "/v1/audit", params=params))["items"]
    assert len(first) == 2 and len(rest) == 3
    assert sorted((d["at"] for d in first + rest), reverse=True) == [d["at"] for d in first + rest]
