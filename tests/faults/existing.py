"""Objects for requests to meet: an app with keys of each kind, people, sends, dead letters."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from itertools import cycle
from typing import Any

from sender_service.models.templates import is_template
from sender_service.ops.bodies import NDJSON
from shared.clock import utc_now
from shared.kafka.client import LogWriter
from shared.models.wire import to_iso
from tests.faults.existing_scenarios import TASKS, fit_scenario, make_scenarios
from tests.faults.fault_cluster import OPS_TOKEN, FaultCluster
from tests.faults.poison import dead_letters, plant
from tests.faults.shop import SECRET_MARK, Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.carillon import campaign
from tests.support.stack import eventually

AGAIN = "again"  # a scenario
SCRATCH = "scratch"  # app, campaign and scenario that requests may overwrite
TEMPLATE = "https://shop.example/{{ name }}"
SENDS = 12
TOKENS = 12
SPARE_KEYS = 4  # for each of what ends keys
LATER = timedelta(hours=2)  # so that sends can be paused, resumed and cancelled


class Existing:
    """Fits a generated request to it: names what exists, with a key that is right."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.server_key = f"sk_{SECRET_MARK}_{shop.app}"
        self.stream_key = f"st_{SECRET_MARK}_{shop.app}"
        self._next: dict[str, Any] = {}  # by the name of a path parameter
        self._doomed: Any = cycle(())  # people that may be erased
        self._merges: Any = cycle(())  # (person, merge)
        self._spare = cycle(range(SPARE_KEYS))

    @classmethod
    async def make(
        cls, world: FaultCluster, webhook_proxy: WebhookProxy, writer: LogWriter, seed: str
    ) -> Existing:
        existing = cls(Shop.of(f"schemas:{seed}"))
        await open_shop(world, webhook_proxy, existing.shop)
        await existing._fill(world, writer)
        return existing

    async def _fill(self, world: FaultCluster, writer: LogWriter) -> None:
        for app in (self.shop.app, SCRATCH):
            await world.ops("PUT", f"/v1/apps/{app}", json=self._app(app))
        await world.ops("PUT", f"/v1/apps/{self.shop.app}/campaigns/{SCRATCH}", json=campaign())
        await Clients(world, self.shop, writer, "schemas").subscribe_first_half()
        await self._merge(world)
        await plant(writer, 1)
        await eventually(lambda: dead_letters(world), 30, every=0.2)
        self._next |= {
            "app": cycle([self.shop.app]),
            "campaign": cycle(["hello"]),
            "version": cycle([1]),
            "key": cycle([self.shop.write_key]),
            "webhook_key": cycle([self.shop.webhook_key]),
            "scenario": cycle([AGAIN]),
            "run": cycle(await make_scenarios(world, self.shop.app, AGAIN, SCRATCH)),
            "n": cycle([1]),
            "send": cycle([await self._send(world) for _ in range(SENDS)]),
            "token": cycle([await self._token(world) for _ in range(TOKENS)]),
            "letter": cycle([dead_letter["_id"] for dead_letter in await dead_letters(world)]),
        }
        async with world.mongo() as database:
            found = database["profiles"].find({"app": self.shop.app})
            people = [profile["_id"] async for profile in found]
            found = database["merges"].find({"app": self.shop.app})
            merges = [(merge["person"], merge["_id"]) async for merge in found]
        unmerged = {person for person, _ in merges[:2]}
        self._merges = cycle(merges[:2])
        self._next["person"] = cycle(sorted(unmerged))
        self._doomed = cycle(sorted(set(people) - unmerged))

    def _app(self, app: str) -> dict[str, Any]:
        kinds = {
            "write": self.shop.write_key,
            "webhook": self.shop.webhook_key,
            "server": self.server_key,
            "stream": self.stream_key,
        }
        keys = [{"id": kind, "kind": kind, "key": key} for kind, key in kinds.items()]
        spare = [
            f"{use}-{number}" for use in ("deleted", "rotated") for number in range(SPARE_KEYS)
        ]
        keys += [{"id": name, "kind": "write", "key": f"wk_{uuid.uuid4().hex}"} for name in spare]
        one_signal = {"appId": self.shop.one_signal, "restApiKey": self.shop.rest_key}
        named = {"name": app, "oneSignal": one_signal, "loginHash": {"required": False}}
        named["timeZone"] = "Europe/Prague"  # scenarios that are on have nights
        return {**named, "keys": keys if app != SCRATCH else []}

    async def _merge(self, world: FaultCluster) -> None:
        """One login on two browsers."""
        for visitor in ("merged-1", "merged-2"):
            event = {"type": "identify", "visitorId": visitor, "data": {"login": "merged"}}
            headers = {"X-Write-Key": self.shop.write_key}
            url = f"http://{world.ingest.address}/v1/events"
            assert (await world.http.post(url, json=event, headers=headers)).status_code == 202

        async def merged() -> bool:
            async with world.mongo() as database:
                return bool(await database["merges"].find_one({"app": self.shop.app}))

        await eventually(merged, 30, every=0.2)

    async def _send(self, world: FaultCluster) -> str:
        trigger = {"id": str(uuid.uuid4()), "app": self.shop.app, "campaign": "hello"}
        trigger["sendAt"] = to_iso(utc_now() + LATER)
        audience = {"players": list(self.shop.players[:3])}
        await world.ops("POST", "/v1/sends", json={**trigger, "audience": audience})
        return trigger["id"]

    async def _token(self, world: FaultCluster) -> str:
        made = await world.ops(
            "POST", "/v1/tokens", json={"name": "schemas", "role": "read", "apps": "all"}
        )
        return str(made["id"])

    def fit(self, case: Any) -> None:
        """Change the case in place."""
        label = case.operation.label
        for name in case.path_parameters or ():
            if name in self._next:
                case.path_parameters[name] = self._named(label, name)
        if "key" in (case.query or ()):
            case.query["key"] = self.shop.write_key
        if case.media_type == NDJSON:
            case.body = self._lines()
        if isinstance(case.body, dict):
            self._fit_body(label, case.body)
        if label.endswith("/merges/undo") and isinstance(case.body, dict):
            case.path_parameters["person"], case.body["merge"] = next(self._merges)
        case.headers = {**(case.headers or {}), **self.keys(label)}

    def _named(self, label: str, name: str) -> Any:
        if "/keys/{key}" in label and name == "key":
            use = "deleted" if label.startswith("DELETE ") else "rotated"
            return f"{use}-{next(self._spare)}"
        if label.startswith("PUT ") and label.endswith(f"{{{name}}}"):
            return SCRATCH
        if label.startswith("DELETE ") and label.endswith("{scenario}"):
            return SCRATCH if name == "scenario" else self.shop.app
        return next(self._doomed if label.endswith("/erase") else self._next[name])

    def _fit_body(self, label: str, body: dict[str, Any]) -> None:
        if label in WHOLE:
            WHOLE[label](body)
        for name in ("app", "campaign"):
            if name in body:
                body[name] = next(self._next[name])
        if "ids" in body and "dead-letters" in label:
            body["ids"] = [next(self._next["letter"])]
        if "player" in body:
            body["player"] = self.shop.players[0]
        if not {"part", "parts"} <= set(body):
            body.pop("part", None)
            body.pop("parts", None)

    def _lines(self) -> str:
        head = {"id": str(uuid.uuid4()), "app": self.shop.app, "campaign": "hello"}
        named = [{"player": player} for player in self.shop.players[:3]]
        return "\n".join(json.dumps(line) for line in (head, *named))

    def keys(self, label: str) -> dict[str, str]:
        secret = self.stream_key if label.endswith("/stream") else OPS_TOKEN
        return {"Authorization": f"Bearer {secret}", "X-Write-Key": self.shop.write_key}


def _fit_app(body: dict[str, Any]) -> None:
    """Give keys ids and values, and the login's proof a secret; remove the snippet's webhook key."""
    for number, key in enumerate(_list_of(body, "keys")):
        if isinstance(key, dict):
            key |= {"id": f"k{number}", "key": key.get("key") or f"made-{uuid.uuid4().hex}"}
    if isinstance(body.get("snippet"), dict):
        body["snippet"].pop("webhookKey", None)
    if isinstance(body.get("loginHash"), dict):
        body["loginHash"].setdefault("secret", "hmac secret")


def _list_of(body: dict[str, Any], name: str) -> list[Any]:
    """Return a field's list; an empty one where a generated body has another type."""
    value = body.get(name)
    return value if isinstance(value, list) else []


def _fit_campaign(body: dict[str, Any]) -> None:
    """Replace texts that look like templates by one that compiles; set weights and ids that fit."""
    for number, variant in enumerate(_list_of(body, "variants")):
        if isinstance(variant, dict):
            variant.update(_with_templates(variant), id=f"v{number}", weight=1)


def _with_templates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_templates(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_templates(one) for one in value]
    return TEMPLATE if isinstance(value, str) and is_template(value) else value


WHOLE = {
    "PUT /v1/apps/{app}": _fit_app,
    "PUT /v1/apps/{app}/campaigns/{campaign}": _fit_campaign,
    "PUT /v1/apps/{app}/scenarios/{scenario}": fit_scenario,
    **{f"POST /v1/apps/{{app}}/scenarios/{{scenario}}/{task}": fit for task, fit in TASKS.items()},
}
