"""The service as a process on a real broker and database."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.mongo.client import Database
from shared.settings import Settings
from tests.support import stack
from tests.support.ingest_process import (
    EVENTS,
    client_of,
    one_signal,
    player_of,
    seeded,
    until,
    until_known,
)

SOON = 0.25  # seconds until an event is in the profile


@dataclass(frozen=True)
class Running:
    settings: Settings
    database: Database
    server: stack.Server
    client: httpx.AsyncClient


@pytest.fixture(scope="module")
async def running(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """One service for this module: a group's first join takes seconds."""
    # A log of its own, too: on the shared one its projector begins with thousands of others' events.
    with stack.broker() as broker:
        settings = stack.settings_for(broker.address, mongo_uri, tmp_path_factory.mktemp("ingest"))
        async with seeded(settings) as database:
            with stack.service("ingest_service", settings) as server:
                async with client_of(server) as client:
                    await until(client, 200, "ready")
                    warm = str(uuid.uuid4())
                    await client.post(EVENTS, json=one_signal("warm", warm))
                    await until_known(client, "warm", warm)
                    yield Running(settings, database, server, client)


async def test_event_is_in_the_profile_soon(running: Running) -> None:
    took = []
    for number in range(10):
        player = str(uuid.uuid4())
        began = time.perf_counter()
        answer = await running.client.post(EVENTS, json=one_signal(f"soon{number}", player))
        assert answer.status_code == 202
        mine = {"visitors": f"soon{number}"}
        profile = await stack.eventually(
            partial(running.database["profiles"].find_one, mine), 5, 0.005
        )
        took.append(time.perf_counter() - began)
        assert [p["id"] for p in profile["players"]] == [player]
        assert await player_of(running.client, f"soon{number}") == player
    assert statistics.median(took) < SOON


async def test_repeated_request_has_no_second_effect(running: Running) -> None:
    player, order = str(uuid.uuid4()), str(uuid.uuid4())
    batch = [
        one_signal("twice", player, id=str(uuid.uuid4())),
        {
            "id": order,
            "type": "purchase",
            "visitorId": "twice",
            "data": {"items": [{"itemID": 1, "quantity": 1, "price": "9,90"}], "revenue": 9.9},
        },
    ]
    for _ in range(3):
        answer = await running.client.post(EVENTS, json=batch)
        assert answer.json()["accepted"] == 2
    last = {
        "id": str(uuid.uuid4()),
        "type": "pageview",
        "visitorId": "twice",
        "data": {"itemID": 5},
    }
    await running.client.post(EVENTS, json=last)

    async def has_last() -> object:
        return await running.database["profiles"].find_one(
            {"visitors": "twice", "viewed.item": "5"}
        )

    profile = await stack.eventually(has_last)
    assert [bought["id"] for bought in profile["purchases"]] == [order]
    assert [p["id"] for p in profile["players"]] == [player]


async def test_login_on_two_browsers_is_one_person(running: Running) -> None:
    players = {visitor: str(uuid.uuid4()) for visitor in ("phone", "laptop")}
    for visitor, player in players.items():
        batch = [
            one_signal(visitor, player),
            {"type": "identify", "visitorId": visitor, "data": {"login": "eva"}},
        ]
        await running.client.post(EVENTS, json=batch)

    async def joined() -> object:
        profile = await running.database["profiles"].find_one({"app": "demo", "login": "eva"})
        return profile if profile and len(profile["visitors"]) == 2 else None

    profile = await stack.eventually(joined)
    assert sorted(profile["db"]["affinityToOneSignalPlayerID"]) == sorted(players.values())
    for visitor, player in players.items():
        answer = await running.client.get(f"/v1/profile?key=wk_demo&visitorId={visitor}")
        assert answer.json()["db"]["affinityToOneSignalPlayerID"] == [player]
        assert "eva" not in answer.text


async def test_thank_you_page_is_opened_again(running: Running) -> None:
    """Open it as the demo shop's snippet reports it: in the same browser, and from the mail elsewhere."""
    lines = {"101": {"quantity": 1, "price": 49.0}}
    order = {
        "id": "D-7",
        "items": lines,
        "revenue": 53.9,
        "shipping": 4.9,
        "tax": 9.35,
        "currency": "EUR",
    }
    login = {"login": "thankful", "email": "thankful@shop.test"}
    here, elsewhere = "thankful-desk", "thankful-phone"
    page = {
        "pageType": "other",
        "currency": "EUR",
    }  # its lines are the order's, so it names no basket
    visits: list[list[tuple[str, str, dict[str, Any]]]] = [
        [(here, "identify", login), (here, "pageview", {**page, "basketItems": lines})],
        [(here, "pageview", page), (here, "purchase", order)],
        [(here, "pageview", {**page, "basketItems": {}})],
        [(here, "addToBasket", {"itemID": "202", "quantity": 1, "price": 19.0, "currency": "EUR"})],
        [(here, "pageview", page)],  # again: the browser remembers that it has reported the order
        [
            (elsewhere, "identify", login),
            (elsewhere, "pageview", page),
            (elsewhere, "purchase", order),
        ],
    ]
    for events in visits:
        batch = [{"type": kind, "visitorId": who, "data": data} for who, kind, data in events]
        assert (await running.client.post(EVENTS, json=batch)).json()["accepted"] == len(batch)

    # The two browsers may be in two partitions: until both are folded the phone's order is the only one.
    async def folded() -> object:
        profile = await running.database["profiles"].find_one({"login": "thankful"})
        if profile is None or len(profile["visitors"]) < 2:
            return None
        return profile if [line["item"] for line in profile["basket"]["items"]] == ["202"] else None

    profile = await stack.eventually(folded)
    (bought,) = profile["purchases"]
    assert (bought["id"], bought["revenue"], bought["currency"]) == ("D-7", 53.9, "EUR")
    assert [(line["item"], line["quantity"]) for line in profile["basket"]["items"]] == [("202", 1)]
    assert bought["at"] < profile["basket"]["since"] == profile["basket"]["at"]


async def test_webhook_is_a_sign_of_life(running: Running) -> None:
    player = str(uuid.uuid4())
    await running.client.post(EVENTS, json=one_signal("hooked", player))
    await until_known(running.client, "hooked", player)
    before = await stack.eventually(lambda: running.database["players"].find_one({"_id": player}))
    body = {
        "event": "notification.clicked",
        "notificationId": str(uuid.uuid4()),
        "subscriptionId": player,
    }
    answer = await running.client.post("/v1/webhooks/onesignal/wh_demo", json=body)
    assert answer.status_code == 202

    async def seen() -> bool:
        found = await running.database["players"].find_one({"_id": player})
        return found is not None and found["lastSeenAt"] > before["lastSeenAt"]

    await stack.eventually(seen)


async def test_request_under_way_is_answered_before_the_end(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    server = stack.service("ingest_service", settings, "--only", "api")

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"type":"pageview",'
        server.terminate()
        await stack.eventually(lambda: not server.is_open())  # no new connections
        yield b'"visitorId":"v"}'

    async with seeded(settings), client_of(server) as client:
        with server:
            await until(client, 200, "ready")
            answer = await client.post(EVENTS, content=slow())
            assert answer.status_code == 202
        assert server.returncode == 0
