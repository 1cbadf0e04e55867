"""Create notification: every answer shape the sandbox gives."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.sandbox import KEY, SandboxApp

DENIED = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)
NOBODY = {"id": "", "errors": ["All included players are not subscribed"]}


async def test_sent(sandbox: SandboxApp) -> None:
    answer = await sandbox.create(await sandbox.browsers(2))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json() == {"id": answer.json()["id"], "external_id": None}
    assert len(answer.json()["id"]) == 36
    assert "idempotent-replayed" not in answer.headers


async def test_unsubscribed_are_reported_and_unknown_ignored(sandbox: SandboxApp) -> None:
    good = await sandbox.browsers(1)
    away = await sandbox.browsers(1, subscribed=False)
    answer = await sandbox.create([*good, *away, str(uuid4())])
    assert answer.json()["id"]
    assert answer.json()["errors"] == {"invalid_player_ids": away}


async def test_nobody_reached_is_a_200_without_id(sandbox: SandboxApp) -> None:
    away = await sandbox.browsers(1, subscribed=False)
    for ids in (away, [str(uuid4())]):
        answer = await sandbox.create(ids)
        assert (answer.status_code, answer.json()) == (200, NOBODY)


async def test_legacy_path_and_names(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    body = {"app_id": sandbox.app_id, "contents": {"en": "x"}, "include_player_ids": ids}
    answer = await sandbox.post("/api/v1/notifications", body, f"Basic {KEY}")
    assert answer.json()["id"]


@pytest.mark.parametrize("scheme", ["Key", "Basic", "Bearer"])
async def test_scheme_word_does_not_matter(sandbox: SandboxApp, scheme: str) -> None:
    body = {"app_id": sandbox.app_id, "contents": {"en": "x"}, "included_segments": ["All"]}
    assert (await sandbox.post("/notifications", body, f"{scheme} {KEY}")).status_code == 200


async def test_wrong_key(sandbox: SandboxApp) -> None:
    body = {"app_id": sandbox.app_id, "contents": {"en": "x"}, "included_segments": ["All"]}
    new = await sandbox.post("/notifications", body, "Key wrong")
    assert (new.status_code, new.json()) == (403, {"errors": [DENIED]})
    old = await sandbox.post("/api/v1/notifications", body, "Basic wrong")
    assert old.status_code == 400
    message = old.json()["errors"][0]
    assert message.startswith("Please include a case-sensitive header of Authorization")


async def test_unknown_app(sandbox: SandboxApp) -> None:
    text = "app_id not found. You may be missing a Content-Type: application/json header."
    for app_id in (None, 7, str(uuid4())):
        answer = await sandbox.create([], app_id=app_id)
        assert (answer.status_code, answer.json()) == (400, {"errors": [text]})
    plain = await sandbox.client.post("/notifications", content=b"{}")
    assert (plain.status_code, plain.json()) == (400, {"errors": [text]})


async def test_disabled_app(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    await sandbox.put_app(disabled=True)
    answer = await sandbox.create(ids)
    assert answer.status_code == 403
    assert "disabled" in answer.json()["errors"][0]
    await sandbox.put_app(disabled=False)
    assert (await sandbox.create(ids)).status_code == 200


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"", b"7"])
async def test_syntax_error_has_a_singular_error(sandbox: SandboxApp, raw: bytes) -> None:
    headers = {"Authorization": f"Key {KEY}", "Content-Type": "application/json"}
    answer = await sandbox.client.post("/notifications", content=raw, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("There was a problem in the JSON you submitted: ")


async def test_one_malformed_id_fails_the_request(sandbox: SandboxApp) -> None:
    good = await sandbox.browsers(1)
    answer = await sandbox.create([*good, "not-a-uuid"])
    message = answer.json()["errors"][0]
    prefix = "Incorrect subscription_id format in include_subscription_ids (not a valid UUID): "
    assert answer.status_code == 400
    assert message.startswith(prefix) and '"not-a-uuid"' in message
    old = await sandbox.create(include_player_ids=["x"])
    assert old.json()["errors"][0].startswith("Incorrect player_id format in include_player_ids")
    assert (await sandbox.tally())["pushes"] == []


async def test_uuid_of_any_version_is_taken(sandbox: SandboxApp) -> None:
    ids = ["1dd608f2-c6a1-11e3-851d-000c2940e62c"]
    assert await sandbox.browsers(count=None, ids=ids) == ids
    assert (await sandbox.create([ids[0].upper()])).json()["id"]


async def test_more_than_2000_ids(sandbox: SandboxApp) -> None:
    assert (await sandbox.create([str(uuid4()) for _ in range(2_001)])).status_code == 400
    assert (await sandbox.create([str(uuid4()) for _ in range(2_000)])).json() == NOBODY


NO_TARGET = (
    "You must include which players, segments, or tags you wish to send this notification to."
)
NO_ENGLISH = "Message Notifications must have English language content"


@pytest.mark.parametrize("targets", [{}, {"include_subscription_ids": []}])
async def test_no_target(sandbox: SandboxApp, targets: dict[str, Any]) -> None:
    answer = await sandbox.create(**targets)
    assert (answer.status_code, answer.json()) == (400, {"errors": [NO_TARGET]})


@pytest.mark.parametrize("contents", [None, {}, {"de": "Hallo"}, {"en": ""}])
async def test_english_is_required(sandbox: SandboxApp, contents: object) -> None:
    answer = await sandbox.create(await sandbox.browsers(1), contents=contents)
    assert (answer.status_code, answer.json()) == (400, {"errors": [NO_ENGLISH]})


BUTTON = {"id": "a", "text": "A"}


@pytest.mark.parametrize(
    "bad",
    [
        {"contents": "Hello"},
        {"headings": {"en": 1}},
        {"data": {"text": "x" * 2_048}},
        {"data": [1]},
        {"name": "x" * 129},
        {"web_push_topic": "x" * 65},
        {"url": "shop"},
        {"url": "https://"},
        {"url": "https://a.test", "web_url": "https://b.test"},
        {"chrome_web_icon": "javascript:alert(1)"},
        {"web_buttons": [BUTTON] * 3},
        {"web_buttons": [{"id": "a"}]},
        {"web_buttons": ["a"]},
        {"ttl": -1},
        {"ttl": "long"},
        {"send_after": "soon"},
        {"send_after": "2999-01-01T00:00:00Z"},
        {"idempotency_key": "once"},
        {"external_id": 5},
        {"included_segments": ["All"]},
        {"include_subscription_ids": "all"},
        {"include_subscription_ids": [1, None, {}]},
        {"include_subscription_ids": None, "included_segments": ["Nobody knows"]},
        {"include_subscription_ids": None, "included_segments": "All"},
        {"include_subscription_ids": None, "filters": [{"field": "tag"}]},
        {"include_subscription_ids": None, "include_aliases": {"external_id": ["a"]}},
        {
            "include_subscription_ids": None,
            "include_aliases": ["a"],
            "target_channel": "push",
        },
    ],
)
async def test_bad_field_is_a_400_with_errors(sandbox: SandboxApp, bad: dict[str, Any]) -> None:
    fields = {"include_subscription_ids": await sandbox.browsers(1), **bad}
    answer = await sandbox.create(**fields)
    assert answer.status_code == 400, answer.text
    assert all(isinstance(text, str) and text for text in answer.json()["errors"])
    assert (await sandbox.tally())["answers"] == {"400": 1}


async def test_fields_at_their_limits_are_taken(sandbox: SandboxApp) -> None:
    answer = await sandbox.create(
        await sandbox.browsers(1),
        data={"t": "x" * 2_040},
        name="n" * 128,
        web_push_topic="t" * 64,
        ttl=0,
        web_buttons=[BUTTON, {"id": "b", "text": "B"}],
    )
    assert answer.json()["id"]


async def test_segments_reach_every_subscribed_browser(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(3)
    await sandbox.browsers(1, subscribed=False)
    for name in ("Subscribed Users", "Total Subscriptions", "All"):
        assert (await sandbox.create(included_segments=[name])).json()["id"]
    pushes = (await sandbox.tally())["pushes"]
    assert sorted(push["player_id"] for push in pushes) == sorted(ids * 3)


async def test_aliases_reach_all_browsers_of_a_person(sandbox: SandboxApp) -> None:
    users = f"/apps/{sandbox.app_id}/users"
    body = {
        "identity": {"external_id": "ann"},
        "subscriptions": [
            {"type": "ChromePush", "token": "https://push.test/1"},
            {"type": "FirefoxPush", "token": "https://push.test/2", "enabled": False},
        ],
    }
    first, second = (await sandbox.client.post(users, json=body)).json()["subscriptions"]
    target: dict[str, Any] = {
        "include_aliases": {"external_id": ["ann", "bob"]},
        "target_channel": "push",
    }
    answer = (await sandbox.create(**target)).json()
    assert answer["errors"] == {"invalid_aliases": {"external_id": ["ann"]}}
    assert [push["player_id"] for push in (await sandbox.tally())["pushes"]] == [first["id"]]
    old = (await sandbox.create(include_external_user_ids=["ann"])).json()
    assert old["errors"] == {"invalid_external_user_ids": ["ann"]}
    assert second["enabled"] is False


async def test_unknown_path_and_method_answer_json(sandbox: SandboxApp) -> None:
    assert (await sandbox.client.get("/nowhere")).json()["errors"]
    assert (await sandbox.client.patch("/notifications")).status_code == 405
