"""The tally is what browsers did, whatever happened to their webhooks."""

from collections import Counter
from uuid import uuid4

import orjson

from tests.support.sandbox import KEY, Receiver, SandboxApp


def _timeless(push: dict[str, object]) -> dict[str, object]:
    """Return the push without the time at which it was queued."""
    assert push["queued_at"]
    return {name: value for name, value in push.items() if name != "queued_at"}


async def test_pushes_name_what_was_sent(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(1, odds={"click": 1}), str(uuid4())
    sent = await sandbox.create(ids, idempotency_key=key, data={"carillon": "v1.x"})
    tally = await sandbox.final_tally()
    assert [_timeless(push) for push in tally["pushes"]] == [
        {
            "notification_id": sent.json()["id"],
            "player_id": ids[0],
            "external_id": key,
            "data": {"carillon": "v1.x"},
            "deliveries": 1,
            "displayed": 1,
            "clicked": 1,
            "closed": 0,
            "failed": 0,
        }
    ]
    assert (tally["calls"], tally["answers"]) == (1, {"200": 1})
    assert (tally["peak_per_second"], tally["disabled"]) == (1, False)


async def test_tally_equals_what_was_posted(sandbox: SandboxApp, receiver: Receiver) -> None:
    ids = await sandbox.browsers(300)
    for _ in range(2):
        await sandbox.create(ids)
    tally = await sandbox.final_tally()
    events = Counter(orjson.loads(post.body)["event"] for post in receiver.posts())
    totals = tally["totals"]
    assert totals["displayed"] == events["notification.willDisplay"] == 600
    assert totals["clicked"] == events["notification.clicked"]
    assert totals["closed"] == events["notification.dismissed"]
    assert 120 < totals["clicked"] < 240  # 0.3 of 600
    assert 45 < totals["closed"] < 125  # 0.2 of the rest
    assert tally["webhooks"]["sent"] == sum(events.values())


async def test_the_same_seed_and_key_behave_the_same(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(50), str(uuid4())
    seen = []
    for _ in range(2):
        await sandbox.create(ids, idempotency_key=key)
        seen.append([_timeless(push) for push in (await sandbox.final_tally())["pushes"]])
        await sandbox.client.post("/sandbox/reset", json={"app_id": sandbox.app_id})
    assert seen[0] == seen[1]
    assert len(seen[0]) == 50


async def test_webhook_faults_leave_the_truth_alone(
    sandbox: SandboxApp, receiver: Receiver
) -> None:
    ids = await sandbox.browsers(200, odds={"click": 0, "close": 0})
    await sandbox.faults(seed=7, webhooks={"drop": 0.3, "duplicate": 0.3, "delay_ms": 20})
    await sandbox.create(ids)
    tally = await sandbox.final_tally()
    counts = tally["webhooks"]
    assert tally["totals"]["displayed"] == 200
    assert 30 < counts["dropped"] < 90 and 20 < counts["duplicated"] < 80
    assert len(receiver.posts()) == counts["sent"] == 200 - counts["dropped"] + counts["duplicated"]


async def test_summary_has_totals_only(sandbox: SandboxApp) -> None:
    await sandbox.create(await sandbox.browsers(2))
    path = f"/sandbox/tally?app_id={sandbox.app_id}&summary=1"
    summary = (await sandbox.client.get(path)).json()
    assert "pushes" not in summary
    assert summary["totals"]["deliveries"] == 2


async def test_reset_keeps_apps_and_browsers(sandbox: SandboxApp, receiver: Receiver) -> None:
    ids, key = await sandbox.browsers(2), str(uuid4())
    await sandbox.create(ids, idempotency_key=key)
    await sandbox.client.post("/sandbox/reset")
    tally = await sandbox.tally()
    assert (tally["calls"], tally["answers"], tally["pushes"]) == (0, {}, [])
    assert "idempotent-replayed" not in (await sandbox.create(ids, idempotency_key=key)).headers
    await sandbox.client.post("/sandbox/reset", json={"app_id": sandbox.app_id, "all": True})
    gone = await sandbox.client.get(f"/sandbox/tally?app_id={sandbox.app_id}")
    assert gone.status_code == 404 and sandbox.app_id in gone.json()["errors"][0]


async def test_scheduled_push_is_delivered_when_due(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1, odds={"display": 0})
    sent = await sandbox.create(ids, send_after="2999-01-01T00:00:00Z")
    assert sent.status_code == 400
    sent = await sandbox.create(ids, send_after="2001-01-01 00:00:00 GMT-0700")
    assert (await sandbox.final_tally())["pushes"][0]["deliveries"] == 1
    path = f"/notifications/{sent.json()['id']}?app_id={sandbox.app_id}"
    late = await sandbox.client.delete(path, headers={"Authorization": f"Key {KEY}"})
    assert late.status_code == 400


async def test_control_endpoints_name_what_is_wrong(sandbox: SandboxApp) -> None:
    client, unknown = sandbox.client, str(uuid4())
    bad = await client.post("/sandbox/browsers", json={"app_id": unknown, "count": 1})
    assert bad.status_code == 404 and unknown in bad.json()["errors"][0]
    for body in (
        {"app_id": sandbox.app_id},
        {"app_id": sandbox.app_id, "count": 1, "ids": [unknown]},
        {"app_id": sandbox.app_id, "ids": ["x"]},
        {"app_id": sandbox.app_id, "count": "many"},
        {"app_id": sandbox.app_id, "count": 1, "odds": {"click": 2}},
        {"app_id": sandbox.app_id, "count": 1, "colour": "red"},
    ):
        assert (await client.post("/sandbox/browsers", json=body)).status_code == 400, body
    assert (await client.put("/sandbox/faults", json={"odds": {"418": 1}})).status_code == 400
    assert (await client.put(f"/sandbox/apps/{unknown}", json={})).status_code == 400
    assert (await client.put(f"/sandbox/apps/{unknown}", content=b"{")).status_code == 400
