"""Webhooks that are broken or forged: taken or refused, never a 5xx, and nothing of them counts."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from shared.kafka.topics import EVENTS_TOPIC as EVENTS_TOPIC
from tests.faults.conftest import CHOICE
from tests.faults.fault_cluster import FaultCluster
from tests.faults.poison import dead_letters, is_planted
from tests.faults.shop import Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy, sent_by
from tests.faults.webhooks import EVENTS, body, fuzzed, how_many, post_all
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

MANY = how_many(CHOICE, os.environ.get("FUZZ"))
ACCEPTED_OR_REFUSED = {202, 413, 422}


@dataclass(frozen=True)
class Scenario:
    """A shop whose browsers got one send and keep silent about it."""

    shop: Shop
    url: str
    send: str
    pushes: list[dict[str, Any]]


@pytest.fixture(scope="module")
async def scene(
    world: FaultCluster, webhook_proxy: WebhookProxy, writer: Any
) -> AsyncIterator[Scenario]:
    shop = Shop.of(f"fuzz:{CHOICE.seed}")
    await open_shop(world, webhook_proxy, shop)
    clients = Clients(world, shop, writer, "fuzz")
    await clients.subscribe_first_half()
    await world.misbehave({"webhooks": {"drop": 1.0}})
    send = str(uuid.uuid4())
    trigger = {"id": send, "app": shop.app, "campaign": "hello", "audience": {"all": True}}
    await world.ops("POST", "/v1/sends", json=trigger)
    path = f"/sandbox/tally?app_id={shop.one_signal}"

    async def sent() -> Any:
        tally = await world.onesignal("GET", path)
        closed = (await world.ops("GET", f"/v1/sends/{send}"))["closedAt"]
        return tally["pushes"] if closed and tally["pending"] == 0 else None

    pushes = await eventually(sent, 60, every=0.2)
    await world.misbehave({})
    url = f"http://{world.ingest.address}/v1/webhooks/onesignal/{shop.webhook_key}"
    yield Scenario(shop, url, send, pushes)


async def interactions(world: FaultCluster, send: str) -> dict[str, int]:
    account = await world.ops("GET", f"/v1/sends/{send}")
    return {kind: account[kind] for kind in ("impressions", "clicks", "closes")}


async def heard_out(world: FaultCluster, scene: Scenario, sign: int) -> None:
    """Accounting is behind everything posted so far: one genuine click per player, as the sign of it.

    Records of a partition are counted in order, and a webhook's key is its player.
    """
    lag = f'carillon_stage_lag_records{{stage="accounting",topic="{EVENTS_TOPIC.name}"}}'

    async def nothing_left() -> bool:
        text = (await world.http.get(f"http://{world.sender.address}/metrics")).text
        return any(
            line.startswith(lag) and float(line.split()[-1]) == 0 for line in text.split("\n")
        )

    await eventually(nothing_left, 120, every=0.2)
    clicks = [_genuine(push, "notification.clicked") for push in scene.pushes[:sign]]
    assert set(await post_all(scene.url, clicks)) == {202}

    async def counted() -> bool:
        clicks = (await interactions(world, scene.send))["clicks"]
        assert clicks <= sign, f"{clicks} clicks counted, {sign} of them genuine"
        return clicks == sign

    await eventually(counted, 60, every=0.1)
    await eventually(nothing_left, 60, every=0.2)


def _genuine(push: dict[str, Any], event: str) -> bytes:
    tag = push["data"]["carillon"]
    return orjson.dumps(body("v16", event, push["notification_id"], push["player_id"], tag))


async def test_fuzzed_webhooks(world: FaultCluster, scene: Scenario) -> None:
    answers = await post_all(scene.url, fuzzed(MANY, CHOICE.seed, scene.pushes))
    assert set(answers) <= ACCEPTED_OR_REFUSED, answers
    assert answers.total() == MANY
    await heard_out(world, scene, 1)
    assert await interactions(world, scene.send) == {"impressions": 0, "clicks": 1, "closes": 0}
    assert [d for d in await dead_letters(world) if not is_planted(d)] == []
    await world.ready()


def forged(scene: Scenario, count: int) -> Iterator[bytes]:
    """Right shape and wrong tag, right tag and foreign player, another shop's, a tag that lies."""
    pushes = itertools.cycle(scene.pushes)
    for number, push in zip(range(count), pushes, strict=False):
        tag, player = push["data"]["carillon"], push["player_id"]
        head, _, mac = tag.rpartition(".")
        stranger = str(uuid.uuid4())
        other = str(uuid.uuid4())
        tag, player = (
            (f"{head}.{mac[::-1]}", player),
            (tag, stranger),
            (tag.replace(sent_by(push["data"]), other), player),
            (f"{head}.", player),
            (tag.replace("v1.", "v2.", 1), player),
            ("", player),
        )[number % 6]
        sdk = ("v15", "v16")[number % 2]
        event = EVENTS[sdk][number % 3]
        yield orjson.dumps(body(sdk, event, push["notification_id"], player, tag))


async def test_forged_and_replayed_webhooks(world: FaultCluster, scene: Scenario) -> None:
    count = max(300, MANY // 10)
    before = await interactions(world, scene.send)
    assert set(await post_all(scene.url, forged(scene, count))) == {202}
    again = [_genuine(scene.pushes[-1], "notification.willDisplay")] * (count // 3)
    assert set(await post_all(scene.url, again)) == {202}  # the same one: counts once
    await heard_out(world, scene, 2)
    assert await interactions(world, scene.send) == {**before, "impressions": 1, "clicks": 2}
    await world.ready()
