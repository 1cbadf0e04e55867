"""A web shop for one round: its app on both sides, its keys, its browsers. All of it is planted."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from tests.faults.fault_cluster import FaultCluster
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.carillon import campaign
from tests.support.marks import PLANTED

SECRET_MARK = PLANTED  # in every key, login, email and visitor id: no log may show one
BROWSERS = 24
CUSTOMERS = 10  # browsers beside those, of people whom a scenario reminds


@dataclass(frozen=True)
class Shop:
    app: str
    one_signal: str
    rest_key: str
    write_key: str
    webhook_key: str
    players: tuple[str, ...]  # all registered at OneSignal, as are the customers'
    customers: tuple[str, ...]

    @classmethod
    def of(cls, seed: str) -> Shop:
        """Return the same shop for the same seed."""
        dice = Random(f"shop:{seed}")

        def uuid() -> str:
            return str(UUID(int=dice.getrandbits(128), version=4))

        name = f"shop-{uuid()[:13]}"
        return cls(
            name,
            uuid(),
            f"os_v2_app_{SECRET_MARK}_{name}",
            f"wk_{SECRET_MARK}_{name}",
            f"wh_{SECRET_MARK}_{name}",
            tuple(uuid() for _ in range(BROWSERS)),
            tuple(uuid() for _ in range(CUSTOMERS)),
        )

    def visitor(self, number: int) -> str:
        return f"{SECRET_MARK}-v{number}"

    def kiosk(self, number: int) -> str:
        return f"kiosk{number}"

    def login(self, who: int | str) -> str:
        return f"{SECRET_MARK}-login-{self.app}-{who}"

    def email(self, number: int) -> str:
        return f"{SECRET_MARK}-{number}@{self.app}.example.test"


async def open_shop(world: FaultCluster, webhook_proxy: WebhookProxy, shop: Shop) -> None:
    """Known to OneSignal and the sender at once, to ingest within 5 s; half of its browsers have
    each SDK."""
    await world.onesignal(
        "PUT",
        f"/sandbox/apps/{shop.one_signal}",
        json={"rest_api_key": shop.rest_key, "plan": "free"},
    )
    half = len(shop.players) // 2
    for sdk, ids in (("v15", shop.players[:half]), ("v16", shop.players[half:] + shop.customers)):
        body = {"app_id": shop.one_signal, "ids": ids, "sdk": sdk}
        body |= {"webhook_url": webhook_proxy.url(shop.webhook_key)}
        await world.onesignal("POST", "/sandbox/browsers", json=body)
    await world.ops("PUT", f"/v1/apps/{shop.app}", json=_app(shop))
    await world.ops("PUT", f"/v1/apps/{shop.app}/campaigns/hello", json=campaign())


def _app(shop: Shop) -> dict[str, Any]:
    keys = {"write": shop.write_key, "webhook": shop.webhook_key}
    return {
        "name": shop.app,
        "oneSignal": {"appId": shop.one_signal, "restApiKey": shop.rest_key, "plan": "free"},
        "keys": [{"id": kind, "kind": kind, "key": key} for kind, key in keys.items()],
        "loginHash": {"required": False},
        # A scenario's push may leave at any time of a round's day, however soon after another.
        "quietHours": False,
        "scenarios": {"gapMinutes": 0},
    }
