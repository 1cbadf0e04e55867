"""Planting of every kind of secret and personal data, in right and in wrong requests."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Set
from typing import Any

import httpx

from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TRIGGERS_TOPIC
from shared.settings import Settings
from tests.faults.fault_cluster import FaultCluster
from tests.faults.shop import SECRET_MARK, Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy
from tests.support import stack
from tests.support.carillon import campaign
from tests.support.stack import eventually

PROXIED = "ingest-proxied.log"
VISITORS_ADDRESS = "93.184.216.77"  # a public one: documentation's count as private
LOGIN_SECRET = f"hmac-{SECRET_MARK}-secret"
QUERY = f"https://{SECRET_MARK}.example.test/a?session={SECRET_MARK}"


async def plant_everything(
    world: FaultCluster, webhook_proxy: WebhookProxy, writer: LogWriter, seed: str
) -> Set[str]:
    """Plant secrets and personal data; return the values without the mark, to be searched for later."""
    shop = Shop.of(f"planting:{seed}")
    await open_shop(world, webhook_proxy, shop)
    await Clients(world, shop, writer, "planting").subscribe_first_half()
    await _open_more(world, shop)
    proxied = stack.service("ingest_service", _behind_a_proxy(world.settings), "--only", "api")
    proxied.log = world.logs / PROXIED
    with proxied:
        await eventually(lambda: _knows(world, proxied.address, shop), 20, every=0.2)
        await _by_ingest(world, proxied.address, shop)
    token = (
        await world.ops("POST", "/v1/tokens", json={"name": "t", "role": "operate", "apps": "all"})
    )["token"]
    await _by_the_sender(world, shop, token)
    await _by_the_log(world, writer, shop)
    return {token, token.removeprefix("cot_"), VISITORS_ADDRESS, *shop.players}


def _behind_a_proxy(settings: Settings) -> Settings:
    ours = {"port": stack.free_port(), "trusted_proxies": ["127.0.0.0/8"]}
    folder = settings.data_dir.with_name("proxied")
    return settings.model_copy(
        update={"ingest": settings.ingest.model_copy(update=ours), "data_dir": folder}
    )


async def _open_more(world: FaultCluster, shop: Shop) -> None:
    """Keys of all kinds, a secret for logins, links with what is behind a question mark."""
    kinds = {"write": shop.write_key, "webhook": shop.webhook_key}
    kinds |= {kind: _key(kind, shop) for kind in ("server", "stream")}
    one_signal = {"appId": shop.one_signal, "restApiKey": shop.rest_key}
    body = {
        "name": shop.app,
        "oneSignal": one_signal,
        "keys": [{"id": kind, "kind": kind, "key": key} for kind, key in kinds.items()],
        "loginHash": {"required": True, "secret": LOGIN_SECRET},
    }
    await world.ops("PUT", f"/v1/apps/{shop.app}", json=body)
    offer = campaign("{{ name }}")
    offer["variants"][0] |= {"url": QUERY, "icon": QUERY, "data": {"note": SECRET_MARK}}
    await world.ops("PUT", f"/v1/apps/{shop.app}/campaigns/planted", json=offer)


def _key(kind: str, shop: Shop) -> str:
    return f"{kind}_{SECRET_MARK}_{shop.app}"


async def _knows(world: FaultCluster, address: str, shop: Shop) -> bool:
    params = {"key": shop.write_key, "visitorId": shop.visitor(0)}
    answer = await world.http.get(f"http://{address}/v1/profile", params=params)
    return answer.status_code == 200


async def _by_ingest(world: FaultCluster, address: str, shop: Shop) -> None:
    base, given_headers = (
        f"http://{address}",
        {"X-Forwarded-For": VISITORS_ADDRESS, "Referer": QUERY},
    )
    hook = f"/v1/webhooks/onesignal/{shop.webhook_key}"
    push = {"notificationId": str(uuid.uuid4()), "subscriptionId": shop.players[0], "url": QUERY}
    stream = {"event.kind": "message.push.received", "event.subscription_id": shop.players[0]}
    stream["message.id"] = str(uuid.uuid4())
    asked: list[tuple[int, str, dict[str, Any]]] = [
        (202, f"/v1/events?key={shop.write_key}", {"json": _events(shop, _proof(shop.login(1)))}),
        (202, "/v1/events", {"json": _events(shop, ""), "key": _key("server", shop)}),
        (202, "/v1/events", {"json": _events(shop, "bad")[:1], "key": shop.write_key}),
        (
            422,
            "/v1/events",
            {
                "json": {**_events(shop, "")[1], "visitorId": f"{SECRET_MARK} {QUERY}"},
                "key": shop.write_key,
            },
        ),
        (422, "/v1/events", {"content": SECRET_MARK.encode(), "key": shop.write_key}),
        (401, "/v1/events", {"json": _events(shop, ""), "key": f"wk_{SECRET_MARK}_wrong"}),
        (413, "/v1/events", {"content": SECRET_MARK.encode() * 200_000, "key": shop.write_key}),
        (202, hook, {"json": {"event": "notification.clicked", **push}}),
        (422, hook, {"json": {"event": SECRET_MARK, **push}}),
        (401, f"{hook}x", {"json": {"event": "notification.clicked", **push}}),
        (202, f"{hook}/stream", {"json": stream, "bearer": _key("stream", shop)}),
        (401, f"{hook}/stream", {"json": stream, "bearer": f"{SECRET_MARK}-wrong"}),
    ]
    for status, path, more in asked:
        headers = dict(given_headers)
        if key := more.pop("key", None):
            headers["X-Write-Key"] = key
        if bearer := more.pop("bearer", None):
            headers["Authorization"] = f"Bearer {bearer}"
        _expect(status, await world.http.post(base + path, headers=headers, **more))


def _events(shop: Shop, proof: str) -> list[dict[str, Any]]:
    person = {"login": shop.login(1), "email": shop.email(1), "loginHash": proof}
    page = {"url": QUERY, "title": SECRET_MARK, "referrer": QUERY}
    visitor = shop.visitor(1)
    return [
        {"type": "identify", "visitorId": visitor, "page": page, "data": person},
        {"type": "pageview", "visitorId": visitor, "page": page, "data": {"query": SECRET_MARK}},
        {"type": "custom", "visitorId": visitor, "data": {"note": SECRET_MARK}},
    ]


def _proof(login: str) -> str:
    return hmac.new(LOGIN_SECRET.encode(), login.encode(), hashlib.sha256).hexdigest()


async def _by_the_sender(world: FaultCluster, shop: Shop, token: str) -> None:
    base, headers = f"http://{world.sender.address}", {"Authorization": f"Bearer {token}"}
    name = {"app": shop.app, "campaign": "planted"}
    recipients = [{"player": p, "variables": {"name": SECRET_MARK}} for p in shop.players[:9]]
    bad = [*recipients, {"login": shop.login(1), "variables": {"other": SECRET_MARK}}]
    sends = [str(uuid.uuid4()) for _ in range(2)]
    asked: list[tuple[int, str, Any]] = [
        (202, "/v1/sends", {**name, "id": sends[0], "recipients": bad}),
        (202, "/v1/sends", {**name, "id": sends[1], "recipients": bad[-1:]}),  # refused later
        (200, "/v1/sends/preview", {**name, "recipients": bad}),
        (422, "/v1/sends", {**name, "id": SECRET_MARK, "recipients": recipients}),
        (
            422,
            "/v1/sends",
            {**name, "id": str(uuid.uuid4()), "app": SECRET_MARK, "recipients": bad},
        ),
        (200, "/v1/people/search", {"app": shop.app, "email": shop.email(2)}),
        (200, "/v1/people/search", {"app": shop.app, "login": shop.login(2)}),
        (422, "/v1/people/search", {"app": shop.app, "login": shop.login(2), "visitor": "v"}),
        (200, f"/v1/apps/{shop.app}/test-connection", None),
    ]
    for status, path, body in asked:
        _expect(status, await world.http.post(base + path, headers=headers, json=body))
    wrong = {"Authorization": f"Bearer {SECRET_MARK}"}
    _expect(401, await world.http.get(f"{base}/v1/apps", headers=wrong))

    async def over() -> bool:
        accounts = [await world.ops("GET", f"/v1/sends/{send}") for send in sends]
        return all(account["closedAt"] or account["error"] for account in accounts)

    await eventually(over, 60, every=0.2)


async def _by_the_log(world: FaultCluster, writer: LogWriter, shop: Shop) -> None:
    """OneSignal refuses the key: the app stops. A dead letter, which is looked at; an erased person."""
    one_signal = {"appId": shop.one_signal, "restApiKey": f"os_v2_app_{SECRET_MARK}_wrong"}
    body = {"name": shop.app, "oneSignal": one_signal}
    await world.ops("PUT", f"/v1/apps/{shop.app}", json=body)
    trigger = {"app": shop.app, "campaign": "hello", "audience": {"logins": [shop.login(3)]}}
    await world.ops("POST", "/v1/sends", json={**trigger, "id": str(uuid.uuid4())})

    async def stopped() -> bool:
        app = await world.ops("GET", f"/v1/apps/{shop.app}")
        return bool(app["state"] == "stopped")

    await eventually(stopped, 30, every=0.2)
    found = await world.ops(
        "POST", "/v1/people/search", json={"app": shop.app, "login": shop.login(4)}
    )
    await world.ops("POST", f"/v1/people/{found['items'][0]['id']}/erase")
    poison = f'{{"email": "{shop.email(5)}", "poison-of-the-faults": '.encode()
    await writer.publish([OutgoingRecord(TRIGGERS_TOPIC.name, shop.login(5), poison, "trigger")])

    async def has_dead_letter() -> bool:
        async with world.mongo() as database:
            return bool(await database["dead_letters"].find_one({"topic": TRIGGERS_TOPIC.name}))

    await eventually(has_dead_letter, 30, every=0.2)


def _expect(status: int, answer: httpx.Response) -> None:
    assert answer.status_code == status, f"{answer.request.url}: {answer.status_code} {answer.text}"
