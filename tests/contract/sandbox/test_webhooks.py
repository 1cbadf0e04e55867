"""Tests of what browsers post, key by key, in both SDK versions, with and without CORS."""

from typing import Any

import orjson
import pytest

from tests.support.sandbox import Received, Receiver, SandboxApp, until

PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"
ORIGIN = "https://shop.example.test"
URL = "https://shop.example.test/sale"
DATA = {"campaignId": "summer-sale", "msg": "m-1042", "n": 3}
PUSH: dict[str, Any] = {
    "headings": {"en": "Summer sale"},
    "contents": {"en": "Everything 20% off until Sunday"},
    "url": URL,
    "chrome_web_icon": "https://cdn.example.test/icon.png",
    "data": DATA,
}
WEB_BUTTONS = [
    {
        "id": "read-more",
        "text": "Read more",
        "icon": "https://cdn.example.test/more.png",
        "url": "https://shop.example.test/sale?btn=1",
    },
    {"id": "later", "text": "Later"},
]
V15_BUTTONS = [
    {
        "action": "read-more",
        "title": "Read more",
        "icon": "https://cdn.example.test/more.png",
        "url": "https://shop.example.test/sale?btn=1",
    },
    {"action": "later", "title": "Later"},
]
V15 = {
    "id": "",
    "userId": PLAYER,
    "heading": "Summer sale",
    "content": "Everything 20% off until Sunday",
    "url": URL,
    "icon": "https://cdn.example.test/icon.png",
    "data": DATA,
}
V16 = {
    "notificationId": "",
    "heading": "Summer sale",
    "content": "Everything 20% off until Sunday",
    "additionalData": DATA,
    "url": URL,
    "subscriptionId": PLAYER,
}
CLICKS = {"display": 1, "click": 1, "close": 0}
CLOSES = {"display": 1, "click": 0, "close": 1}


async def push_to_one(
    sandbox: SandboxApp, receiver: Receiver, push: dict[str, Any], **browser: Any
) -> tuple[str, list[Received]]:
    await sandbox.browsers(count=None, ids=[PLAYER], **browser)
    sent = (await sandbox.create([PLAYER], **push)).json()["id"]
    await until(lambda: len(receiver.posts()) >= 2)
    await sandbox.final_tally()
    return sent, receiver.posts()


async def test_v16_without_cors(sandbox: SandboxApp, receiver: Receiver) -> None:
    sent, posts = await push_to_one(sandbox, receiver, PUSH, odds=CLOSES)
    displayed, closed = [orjson.loads(post.body) for post in posts]
    assert displayed == {**V16, "event": "notification.willDisplay", "notificationId": sent}
    assert closed == {**V16, "event": "notification.dismissed", "notificationId": sent}
    for post in posts:
        assert post.headers["content-type"] == "text/plain;charset=UTF-8"
        assert post.headers["origin"] == ORIGIN
        assert post.headers["user-agent"].startswith("Mozilla/5.0")
        assert "x-onesignal-event" not in post.headers
    assert {request.method for request in receiver.requests} == {"POST"}


async def test_v16_with_cors(sandbox: SandboxApp, receiver: Receiver) -> None:
    sent, posts = await push_to_one(sandbox, receiver, PUSH, odds=CLICKS, cors=True)
    displayed, clicked = [orjson.loads(post.body) for post in posts]
    assert displayed == {**V16, "event": "notification.willDisplay", "notificationId": sent}
    assert clicked == {
        **V16,
        "event": "notification.clicked",
        "notificationId": sent,
        "actionId": "",
    }
    for post, event in zip(posts, ("willDisplay", "clicked"), strict=True):
        assert post.headers["content-type"] == "application/json"
        assert post.headers["x-onesignal-event"] == f"notification.{event}"
    assert [request.method for request in receiver.requests] == ["OPTIONS", "POST"] * 2
    preflight = receiver.requests[0].headers
    assert preflight["origin"] == ORIGIN
    assert preflight["access-control-request-method"] == "POST"
    assert preflight["access-control-request-headers"] == "content-type,x-onesignal-event"


async def test_v15_with_cors(sandbox: SandboxApp, receiver: Receiver) -> None:
    push = {**PUSH, "web_buttons": WEB_BUTTONS}
    sent, posts = await push_to_one(sandbox, receiver, push, odds=CLOSES, cors=True, sdk="v15")
    displayed, closed = [orjson.loads(post.body) for post in posts]
    whole = {**V15, "id": sent, "buttons": V15_BUTTONS}
    assert displayed == {**whole, "event": "notification.displayed"}
    assert closed == {**whole, "event": "notification.dismissed"}
    assert posts[0].headers["x-onesignal-event"] == "notification.displayed"


async def test_v15_without_cors(sandbox: SandboxApp, receiver: Receiver) -> None:
    sent, posts = await push_to_one(sandbox, receiver, PUSH, odds=CLICKS, sdk="v15")
    displayed, clicked = [orjson.loads(post.body) for post in posts]
    assert displayed == {**V15, "id": sent, "event": "notification.displayed"}
    assert clicked == {**V15, "id": sent, "event": "notification.clicked"}  # no "action"
    assert posts[0].headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize("sdk", ["v15", "v16"])
async def test_buttons_are_pressed_too(sandbox: SandboxApp, receiver: Receiver, sdk: str) -> None:
    ids = await sandbox.browsers(40, sdk=sdk, odds=CLICKS)
    await sandbox.create(ids, **PUSH, web_buttons=WEB_BUTTONS)
    await sandbox.final_tally()
    bodies = [orjson.loads(post.body) for post in receiver.posts()]
    clicks = [body for body in bodies if body["event"] == "notification.clicked"]
    by_action = {body.get("action", body.get("actionId", "")): body["url"] for body in clicks}
    assert set(by_action) == {"", "read-more", "later"}
    button_url = WEB_BUTTONS[0]["url"] if sdk == "v16" else URL  # v15: never the button's
    assert by_action == {"": URL, "read-more": button_url, "later": URL}


async def test_absent_fields_are_absent(sandbox: SandboxApp, receiver: Receiver) -> None:
    push = {"contents": {"en": "Hello", "de": "Hallo"}}
    sent, posts = await push_to_one(sandbox, receiver, push, odds=CLICKS, language="de")
    displayed, clicked = [orjson.loads(post.body) for post in posts]
    common = {"notificationId": sent, "content": "Hallo", "subscriptionId": PLAYER}
    assert displayed == {**common, "event": "notification.willDisplay"}
    assert clicked == {
        **common,
        "event": "notification.clicked",
        "heading": "Sandbox",  # the default title, filled in when it was shown
        "actionId": "",
        "url": ORIGIN,
    }


async def test_preflight_refused_means_no_post(sandbox: SandboxApp, receiver: Receiver) -> None:
    receiver.allow_origin = "https://another.example.test"
    ids = await sandbox.browsers(1, cors=True, odds=CLOSES)
    await sandbox.create(ids)
    tally = await sandbox.final_tally()
    assert receiver.posts() == []
    assert tally["webhooks"] == {"sent": 0, "failed": 2, "dropped": 0, "duplicated": 0}
    assert tally["totals"]["displayed"] == 1  # the browser did show it


async def test_a_browser_does_not_try_again(sandbox: SandboxApp, receiver: Receiver) -> None:
    receiver.refusals = 1
    ids = await sandbox.browsers(1, odds={"click": 0, "close": 0})
    await sandbox.create(ids)
    tally = await sandbox.final_tally()
    assert len(receiver.posts()) == 1
    assert tally["webhooks"]["failed"] == 1


async def test_own_address_of_a_browser(sandbox: SandboxApp, receiver: Receiver) -> None:
    closed = "http://127.0.0.1:9/nobody"
    ids = await sandbox.browsers(1, webhook_url=closed, odds={"click": 0, "close": 0})
    await sandbox.create(ids)
    assert (await sandbox.final_tally())["webhooks"]["failed"] == 1
    assert receiver.posts() == []
