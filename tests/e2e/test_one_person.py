"""One person over a login, a payment, an undone merge and an erasure, through both services."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.support.carillon import Carillon, Shop, campaign, prove
from tests.support.sender_commands import run_command
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


async def _found(carillon: Carillon, shop: Shop, **name: str) -> Any:
    """Return the one person whom the name leads to; None where there is none."""
    found = await carillon.ops("POST", "/v1/people/search", json={"app": shop.app, **name})
    return found["items"][0] if found["items"] else None


async def _known(carillon: Carillon, shop: Shop, **name: str) -> Any:
    """Return the person whom the name leads to, once there is one."""
    # A page sees its visitor before the profile is written.
    return await eventually(functools.partial(_found, carillon, shop, **name), 20)


async def _sent(
    carillon: Carillon, shop: Shop, priority: str = "marketing", **name: str
) -> tuple[int, dict[str, int]]:
    """Trigger for the one name; return the pushes sent, and those suppressed by reason."""
    send = await carillon.trigger(shop, priority=priority, recipients=[name])
    account = await carillon.closed(send)
    return account["sent"], account["suppressed"]


def _server_key(shop: Shop) -> str:
    return f"sk_{shop.app}"


async def _open_shop(carillon: Carillon) -> Shop:
    """Open a shop with a server key, and a cap of one push a day."""
    shop = await carillon.open_shop()
    body = await carillon.ops("GET", f"/v1/apps/{shop.app}")
    keys = [*body["keys"], {"id": "server", "kind": "server", "key": _server_key(shop)}]
    await carillon.ops("PUT", f"/v1/apps/{shop.app}", json={**body, "keys": keys})
    capped = {**campaign(), "policy": {"cap": {"count": 1, "days": 1}}}
    await carillon.ops("PUT", f"/v1/apps/{shop.app}/campaigns/hello", json=capped)
    return shop


async def _kept(carillon: Carillon, *collections: str) -> str:
    """Return as text what the database has in these collections, or in all of them."""
    uri = SecretStr(f"mongodb://127.0.0.1:{carillon.ports['database']}")
    async with open_database(MongoSettings(uri=uri), "test") as database:
        names = collections or sorted(await database.list_collection_names())
        return str({name: [one async for one in database[name].find({})] for name in names})


async def _pay(carillon: Carillon, shop: Shop, login: str) -> None:
    """Report an order as a payment callback does, once the key is known."""
    event = {"type": "purchase", "login": login, "data": {"id": "o-1", "items": []}}
    url = carillon.url("ingest", "/v1/events")

    async def is_stored() -> bool:
        answer = await carillon.http.post(
            url, headers={"X-Write-Key": _server_key(shop)}, json=event
        )
        return answer.status_code == 202

    await eventually(is_stored, 20, every=0.1)


async def _explained_by_commands(carillon: Carillon, shop: Shop, *ids: str) -> None:
    """Check that commands find the person, and pushes from before the login, by each of these ids."""
    for person in ids:
        why = ("why", "--app", shop.app, "--person", person, "--json")
        code, out, err = await run_command(carillon, *why)
        assert code == 0, err
        (found,) = orjson.loads(out)["people"]
        assert found["person"] == ids[0]
        reasons = sorted(str(item["reason"]) for item in found["items"])
        assert reasons == ["None", "None", "capped", "capped", "capped"]
        code, out, err = await run_command(carillon, "person", "export", person)
        assert code == 0, err
        known = orjson.loads(out)
        assert (known["id"], known["complete"], len(known["sends"])) == (ids[0], True, 5)
        assert [order["id"] for order in known["profile"]["purchases"]] == ["o-1"]


async def test_one_person_by_each_name(carillon: Carillon) -> None:
    shop = await _open_shop(carillon)
    await carillon.register(shop, 1)
    anonymous = await _known(carillon, shop, visitor="v0")
    assert await _sent(carillon, shop, person=anonymous["id"]) == (1, {})
    proof = {"login": "ann", "loginHash": prove("ann")}
    await carillon.collect(shop, [{"type": "identify", "visitorId": "v0", "data": proof}])
    await _pay(carillon, shop, "ann")

    async def is_joined() -> Any:
        ann = await _found(carillon, shop, person=anonymous["id"])
        is_whole = ann is not None and ann["login"] == "ann" and len(ann["visitors"]) == 2
        return ann if is_whole else None

    ann = await eventually(is_joined, 20)
    assert ann["visitors"][0].startswith("login:") and ann["visitors"][1] == "v0"
    assert len(ann["players"]) == 1
    for name in ({"person": anonymous["id"]}, {"person": ann["id"]}, {"login": "ann"}):
        assert await _sent(carillon, shop, **name) == (0, {"capped": 1})
    assert await _sent(carillon, shop, "transactional", person=anonymous["id"]) == (1, {})

    await _explained_by_commands(carillon, shop, ann["id"], anonymous["id"])
    path = f"/v1/people/{ann['id']}"
    await carillon.ops("POST", f"{path}/merges/undo", json={"merge": anonymous["id"]})

    async def is_undone() -> bool:
        return not (await _found(carillon, shop, login="ann"))["aliases"]

    await eventually(is_undone, 20)
    assert await _sent(carillon, shop, login="ann") == (0, {"capped": 1})

    await carillon.ops("POST", f"{path}/erase")

    async def is_gone(**name: str) -> bool:
        return await _found(carillon, shop, **name) is None

    for name in ({"login": "ann"}, {"visitor": ann["visitors"][0]}, {"person": ann["id"]}):
        await eventually(functools.partial(is_gone, **name), 30)


async def _name(carillon: Carillon, shop: Shop, secret: str, **name: str) -> None:
    """Trigger for the one name, with variables that only a trigger has."""
    recipients = [{**name, "variables": {"x": secret}}]
    send = await carillon.trigger(shop, recipients=recipients, priority="transactional")
    await carillon.closed(send)


async def test_erasure_reaches_each_name_also_those_of_a_browser_that_comes_late(
    carillon: Carillon,
) -> None:
    shop = await _open_shop(carillon)
    (player,) = await carillon.register(shop, 1)
    anonymous = await _known(carillon, shop, visitor="v0")
    await carillon.collect(shop, [{"type": "pageview", "visitorId": "v-late"}])
    late = await _known(carillon, shop, visitor="v-late")
    await _name(carillon, shop, "secret-0", person=anonymous["id"])
    await _name(carillon, shop, "secret-1", person=late["id"])

    before = datetime.now(UTC).isoformat()
    proof = {"login": "eva-erased", "loginHash": prove("eva-erased")}
    await carillon.collect(shop, [{"type": "identify", "visitorId": "v0", "data": proof}])
    await _pay(carillon, shop, "eva-erased")

    async def is_joined() -> Any:
        eva = await _found(carillon, shop, login="eva-erased")
        return eva if eva is not None and len(eva["visitors"]) == 2 and eva["players"] else None

    eva = await eventually(is_joined, 20)
    by_login = next(name for name in eva["visitors"] if name.startswith("login:"))
    names = [
        {"login": "eva-erased"},
        {"visitor": by_login},
        {"player": player},
        {"person": eva["id"]},
    ]
    for number, name in enumerate(names, 2):
        await _name(carillon, shop, f"secret-{number}", **name)
    await carillon.ops("POST", f"/v1/people/{eva['id']}/erase")
    # Her login there was in a spool: only now it is known that the browser is hers.
    event = {"type": "identify", "visitorId": "v-late", "data": proof, "occurredAt": before}
    await carillon.collect(shop, [event])

    async def are_gone() -> bool:
        left = await _kept(carillon)
        return "eva-erased" not in left and not any(f"secret-{n}" in left for n in range(6))

    await eventually(are_gone, 60)
    sender = await _kept(carillon, "sends", "parts", "pages", "bodies", "contacts")
    ids = (eva["id"], anonymous["id"], late["id"], player, by_login)
    assert not [name for name in ids if name in sender]
    assert not [name for name in (by_login, "v-late") if name in await _kept(carillon)]
