"""The bytes that OneSignal gets of a push, and a push as it is stored."""

from __future__ import annotations

import orjson
import pytest

from sender_service.models.push import Push, PushButton
from sender_service.providers.base import PushPreview
from sender_service.store.push_codec import decode_push, encode_push
from tests.support.builders import ONESIGNAL_APP_ID, SEND, build_app
from tests.support.providers import ONESIGNAL

BARE = Push(title="Hello", text="Come", url="https://shop.example/", data={"k": [1]})
FULL = Push(
    title="Hello",
    text="Come",
    url="https://shop.example/",
    icon="https://cdn.example/i.png",
    image="https://cdn.example/b.png",
    buttons=(
        PushButton("go", "Go", "https://shop.example/go", "https://cdn.example/g.png"),
        PushButton("no", "No"),
    ),
    data={"k": [1]},
)


def test_body_has_the_bytes_that_onesignal_always_got() -> None:
    """Check the bytes: a replica of another version may repeat the call."""
    body = orjson.dumps(ONESIGNAL.body(build_app(), FULL, "v1.tag", SEND, 60)).decode()
    assert body == (
        '{"headings":{"en":"Hello"},"contents":{"en":"Come"},"url":"https://shop.example/",'
        '"data":{"k":[1],"carillon":"v1.tag"},"chrome_web_icon":"https://cdn.example/i.png",'
        '"firefox_icon":"https://cdn.example/i.png","chrome_web_image":"https://cdn.example/b.png",'
        '"web_buttons":[{"id":"go","text":"Go","url":"https://shop.example/go",'
        '"icon":"https://cdn.example/g.png"},{"id":"no","text":"No"}],'
        f'"app_id":"{ONESIGNAL_APP_ID}","name":"v1.tag","web_push_topic":"{SEND}","ttl":60}}'
    )
    assert FULL.data == {"k": [1]}, "the push is the chunk's own"


def test_absent_parts_are_not_named() -> None:
    body = ONESIGNAL.body(build_app(), BARE, "v1.tag", SEND, 0)
    assert list(body) == [
        *("headings", "contents", "url", "data", "app_id", "name", "web_push_topic", "ttl"),
    ]


def test_preview_shows_what_a_person_sees() -> None:
    seen = PushPreview("Hello", "Come", FULL.url, FULL.icon, FULL.image, ("Go", "No"))
    assert ONESIGNAL.preview(FULL) == seen


@pytest.mark.parametrize("push", [BARE, FULL])
def test_stored_push_comes_back(push: Push) -> None:
    stored = orjson.loads(orjson.dumps(encode_push(push)))
    assert decode_push(stored) == push
    assert None not in stored.values()


def test_blanked_push_has_no_texts() -> None:
    assert decode_push({"data": {}}) == Push(title="", text="", url="")
