"""Event Streams: posted by the server, authenticated, at least once."""

from collections import Counter

import orjson
import pytest

from tests.support.sandbox import Receiver, SandboxApp, until

QUIET = "http://127.0.0.1:9/nobody"
FLAT_KEYS = {
    "event.kind",
    "event.id",
    "event.timestamp",
    "event.datetime",
    "event.app_id",
    "event.subscription_device_type",
    "event.subscription_id",
    "event.onesignal_id",
    "event.external_id",
    "event.data.failure_reason",
    "message.id",
    "message.name",
    "message.title",
    "message.contents",
    "message.template_id",
    "message.url",
    "message.app_url",
    "message.web_url",
}


@pytest.fixture
async def streaming(sandbox: SandboxApp, receiver: Receiver) -> SandboxApp:
    await sandbox.put_app(stream={"url": receiver.url, "bearer": "s3cret", "shape": "flat"})
    return sandbox


async def test_flat_events(streaming: SandboxApp, receiver: Receiver) -> None:
    ids = await streaming.browsers(1, webhook_url=QUIET, odds={"click": 1})
    sent = await streaming.create(
        ids, headings={"en": "Sale"}, name="v1.tag", url="https://shop.test/"
    )
    await streaming.final_tally()
    posts = receiver.posts()
    events = [orjson.loads(post.body) for post in posts]
    kinds = [event["event.kind"] for event in events]
    assert kinds == ["message.push.sent", "message.push.received", "message.push.clicked"]
    assert posts[0].headers["authorization"] == "Bearer s3cret"
    assert posts[0].headers["content-type"] == "application/json"
    clicked = events[2]
    assert set(clicked) == FLAT_KEYS
    assert all(isinstance(value, str) for value in clicked.values())
    assert clicked["event.timestamp"].isdecimal()
    assert clicked["event.subscription_id"] == ids[0]
    assert clicked["event.subscription_device_type"] == "Chrome"
    assert clicked["message.id"] == sent.json()["id"]
    assert clicked["message.name"] == "v1.tag"
    assert clicked["message.title"] == "{'en':'Sale'}"
    assert len({event["event.id"] for event in events}) == 3


async def test_nested_events(streaming: SandboxApp, receiver: Receiver) -> None:
    await streaming.put_app(stream={"url": receiver.url, "bearer": "b", "shape": "nested"})
    ids = await streaming.browsers(1, webhook_url=QUIET, odds={"fail": 1})
    await streaming.create(ids, contents={"en": "x" * 80})
    tally = await streaming.final_tally()
    sent, failed = [orjson.loads(post.body) for post in receiver.posts()]
    assert sent["event"]["kind"] == "message.push.sent"
    assert sent["message"]["contents"] == "{'en':'" + "x" * 50 + "'}"
    assert failed["event"]["kind"] == "message.push.failed"
    assert failed["event"]["data"]["failure_reason"]
    push = tally["pushes"][0]
    assert (push["deliveries"], push["displayed"], push["failed"]) == (0, 0, 1)


async def test_refused_events_are_tried_again(streaming: SandboxApp, receiver: Receiver) -> None:
    receiver.refusals = 2
    ids = await streaming.browsers(1, webhook_url=QUIET, odds={"display": 0})
    await streaming.create(ids)
    tally = await streaming.final_tally()
    bodies = Counter(post.body for post in receiver.posts())
    assert list(bodies.values()) == [3]  # the same event id each time
    assert tally["streams"] == {"sent": 1, "failed": 0}


async def test_opting_out_is_an_event(streaming: SandboxApp, receiver: Receiver) -> None:
    ids = await streaming.browsers(1)
    path = f"/apps/{streaming.app_id}/subscriptions/{ids[0]}"
    body = {"subscription": {"enabled": False, "notification_types": -31}}
    assert (await streaming.client.patch(path, json=body)).status_code == 200
    await until(lambda: len(receiver.posts()) == 1)
    event = orjson.loads(receiver.posts()[0].body)
    assert event["event.kind"] == "message.push.unsubscribed"
    assert event["event.subscription_id"] == ids[0]
