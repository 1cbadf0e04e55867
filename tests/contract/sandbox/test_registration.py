"""Browsers register as the SDKs do, opt out, and pages fetch their own pushes."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.support.sandbox import KEY, Receiver, SandboxApp

AUTH = {"Authorization": f"Key {KEY}"}


async def register(sandbox: SandboxApp) -> str:
    body = {"subscriptions": [{"type": "ChromePush", "token": f"https://push.test/{uuid4()}"}]}
    answer = await sandbox.client.post(f"/apps/{sandbox.app_id}/users", json=body)
    assert answer.status_code == 201
    assert answer.json()["identity"]["onesignal_id"]
    return str(answer.json()["subscriptions"][0]["id"])


async def test_v16_user_opts_out_and_in(sandbox: SandboxApp) -> None:
    id_ = await register(sandbox)
    path = f"/apps/{sandbox.app_id}/subscriptions/{id_}"
    out = {"subscription": {"enabled": False, "notification_types": -2}}
    assert (await sandbox.client.patch(path, json=out)).status_code == 200
    assert (await sandbox.create([id_])).json()["id"] == ""
    back = {"subscription": {"enabled": True, "notification_types": 1}}
    assert (await sandbox.client.patch(path, json=back)).status_code == 200
    assert (await sandbox.create([id_])).json()["id"]


async def test_v15_player_opts_out(sandbox: SandboxApp) -> None:
    body = {"app_id": sandbox.app_id, "device_type": 8, "identifier": f"t-{uuid4()}"}
    first = (await sandbox.client.post("/api/v1/players", json=body)).json()
    again = (await sandbox.client.post("/players", json=body)).json()
    assert first == again == {"success": True, "id": first["id"]}
    path = f"/api/v1/players/{first['id']}"
    out = {"app_id": sandbox.app_id, "notification_types": -2}
    assert (await sandbox.client.put(path, json=out)).json() == {"success": True}
    seen = (await sandbox.client.get(f"{path}?app_id={sandbox.app_id}")).json()
    assert (seen["notification_types"], seen["invalid_identifier"]) == (-2, True)
    answer = await sandbox.create([first["id"]])
    assert answer.json() == {"id": "", "errors": ["All included players are not subscribed"]}


async def test_app_counts_its_players(sandbox: SandboxApp) -> None:
    await sandbox.browsers(3)
    away = await sandbox.browsers(1, subscribed=False)
    app = (await sandbox.client.get(f"/apps/{sandbox.app_id}", headers=AUTH)).json()
    assert (app["players"], app["messageable_players"]) == (4, 3)
    await sandbox.browsers(count=None, ids=away)  # registered again, now subscribed
    app = (await sandbox.client.get(f"/apps/{sandbox.app_id}", headers=AUTH)).json()
    assert (app["players"], app["messageable_players"]) == (4, 4)
    assert (await sandbox.client.get(f"/apps/{sandbox.app_id}")).status_code == 403


async def test_login_and_its_conflict(sandbox: SandboxApp) -> None:
    users, ids = f"/apps/{sandbox.app_id}/users", []
    for _ in range(2):
        made = (await sandbox.client.post(users, json={})).json()
        ids.append(made["identity"]["onesignal_id"])
    login = {"identity": {"external_id": "ann"}}
    first, second = (f"{users}/by/onesignal_id/{id_}/identity" for id_ in ids)
    assert (await sandbox.client.patch(first, json=login)).json()["identity"][
        "external_id"
    ] == "ann"
    refused = await sandbox.client.patch(second, json=login)
    assert refused.status_code == 409
    meta = refused.json()["errors"][0]["meta"]
    assert meta == {"conflicting_aliases": {"external_id": "ann"}}
    seen = (await sandbox.client.get(f"{users}/by/external_id/ann")).json()
    assert seen["identity"] == {"onesignal_id": ids[0], "external_id": "ann"}
    assert (await sandbox.client.get(f"{users}/by/external_id/bob")).status_code == 404


async def test_subscription_moves_with_the_login(sandbox: SandboxApp) -> None:
    id_, users = await register(sandbox), f"/apps/{sandbox.app_id}/users"
    body = {"identity": {"external_id": "ann"}, "subscriptions": [{"id": id_}]}
    moved = (await sandbox.client.post(users, json=body)).json()
    assert [item["id"] for item in moved["subscriptions"]] == [id_]
    target: dict[str, Any] = {"include_aliases": {"external_id": ["ann"]}, "target_channel": "push"}
    assert (await sandbox.create(**target)).json()["id"]
    tags = {"properties": {"tags": {"vip": "1"}}}
    assert (await sandbox.client.patch(f"{users}/by/external_id/ann", json=tags)).status_code == 202


async def test_page_fetches_and_reports_its_pushes(sandbox: SandboxApp, receiver: Receiver) -> None:
    id_ = await register(sandbox)
    path = f"/sandbox/browsers/{id_}/pushes"
    waiting = asyncio.create_task(sandbox.client.get(f"{path}?after=0&wait=5"))
    sent = await sandbox.create([id_], url="https://shop.test/x", data={"a": 1})
    found = (await waiting).json()
    push = found["pushes"][0]
    assert push["notificationId"] == sent.json()["id"]
    assert (push["body"], push["launchURL"]) == ("Hello", "https://shop.test/x")
    assert push["additionalData"] == {"a": 1}
    assert (await sandbox.client.get(f"{path}?after={found['next']}")).json()["pushes"] == []
    for kind in ("displayed", "closed"):
        act = {"notification_id": push["notificationId"], "kind": kind}
        done = await sandbox.client.post(f"/sandbox/browsers/{id_}/acts", json=act)
        assert done.json() == {"success": True}
    opened = {"app_id": sandbox.app_id, "player_id": id_, "opened": True}
    await sandbox.client.put(f"/notifications/{push['notificationId']}", json=opened)
    row = (await sandbox.final_tally())["pushes"][0]
    assert (row["displayed"], row["clicked"], row["closed"]) == (1, 1, 1)
    assert receiver.posts() == []  # a real page posts its own webhooks


async def test_cancel_and_view(sandbox: SandboxApp) -> None:
    good = await sandbox.browsers(2, odds={"click": 1})
    away = await sandbox.browsers(1, subscribed=False)
    sent = (await sandbox.create([*good, *away], name="n")).json()["id"]
    await sandbox.final_tally()
    path = f"/notifications/{sent}?app_id={sandbox.app_id}"
    seen = (await sandbox.client.get(path, headers=AUTH)).json()
    figures = ("successful", "failed", "errored", "converted", "received", "remaining")
    assert [seen[name] for name in figures] == [2, 1, 0, 2, 2, 0]
    assert seen["platform_delivery_stats"]["chrome_web_push"]["successful"] == 2
    gone = await sandbox.client.delete(path, headers=AUTH)
    assert gone.json() == {"errors": ["Notification has already been sent to all recipients"]}
    listed = await sandbox.client.get(
        f"/notifications?app_id={sandbox.app_id}&limit=5", headers=AUTH
    )
    assert [item["id"] for item in listed.json()["notifications"]] == [sent]


async def test_pages_on_this_machine_may_call(sandbox: SandboxApp) -> None:
    headers = {
        "Origin": "http://127.0.0.1:8099",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type,onesignal-subscription-id",
    }
    path = f"/apps/{sandbox.app_id}/subscriptions/{uuid4()}"
    answer = await sandbox.client.options(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == headers["Origin"]
    assert (await sandbox.client.get("/health")).json() == {"status": "ok"}


async def test_bad_registrations_are_4xx(sandbox: SandboxApp) -> None:
    client, app = sandbox.client, f"/apps/{sandbox.app_id}"
    assert (await client.post("/apps/nobody/users", json={})).status_code == 400
    bodies: list[dict[str, Any]] = [
        {"subscriptions": {}},
        {"identity": []},
        {"subscriptions": [{"enabled": 3}]},
    ]
    for body in bodies:
        assert (await client.post(f"{app}/users", json=body)).status_code == 400
    assert (await client.patch(f"{app}/subscriptions/{uuid4()}", json={})).status_code == 404
    assert (await client.put(f"/players/{uuid4()}", json={})).status_code == 404
    assert (
        await client.post("/players", json={"app_id": sandbox.app_id, "device_type": "x"})
    ).status_code == 400
    assert (await client.get(f"/sandbox/browsers/{uuid4()}/pushes")).status_code == 404
    mine = f"/sandbox/browsers/{await register(sandbox)}/pushes"
    for after in ("inf", "nan", "x"):
        assert (await client.get(f"{mine}?after={after}")).status_code == 400


async def test_f25_external_id_0_is_refused(sandbox: SandboxApp) -> None:
    users = f"/apps/{sandbox.app_id}/users"
    zero = {"identity": {"external_id": "0"}}
    assert (await sandbox.client.post(users, json=zero)).status_code == 400
    made = (await sandbox.client.post(users, json={})).json()
    path = f"{users}/by/onesignal_id/{made['identity']['onesignal_id']}/identity"
    assert (await sandbox.client.patch(path, json=zero)).status_code == 400
    seven = {"identity": {"external_id": "007"}}
    assert (await sandbox.client.patch(path, json=seven)).status_code == 200
