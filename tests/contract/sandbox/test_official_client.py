"""OneSignal's own Python client talks to the sandbox."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import onesignal
import pytest
from onesignal.api import default_api
from onesignal.helpers import create_notification_with_retry, is_message_sent
from onesignal.model.identity_object import IdentityObject
from onesignal.model.language_string_map import LanguageStringMap
from onesignal.model.notification import Notification
from onesignal.model.subscription import Subscription
from onesignal.model.user import User

from tests.support.sandbox import KEY, SandboxApp

T = TypeVar("T")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def ask(sandbox: SandboxApp, call: Callable[[Any], T], key: str = KEY) -> T:
    """Ask from a thread: the client is synchronous."""

    def work() -> T:
        settings = onesignal.Configuration(
            host=sandbox.address, rest_api_key=key, organization_api_key=key
        )
        with onesignal.ApiClient(settings) as client:
            return call(default_api.DefaultApi(client))

    return await asyncio.to_thread(work)


def notification(sandbox: SandboxApp, ids: list[str], **values: Any) -> Any:
    return Notification(
        app_id=sandbox.app_id,
        contents=LanguageStringMap(en="Hello"),
        include_subscription_ids=ids,
        **values,
    )


async def test_create_and_view(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(2)
    made = await ask(
        sandbox, lambda api: create_notification_with_retry(api, notification(sandbox, ids))
    )
    assert is_message_sent(made.response) and not made.was_replayed
    await sandbox.final_tally()
    seen = await ask(sandbox, lambda api: api.get_notification(sandbox.app_id, made.response.id))
    assert (seen.successful, seen.failed, seen.remaining) == (2, 0, 0)


async def test_replay_is_seen(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(1), "c2a5b6de-7a2b-4c0e-9f11-2b6f0d9e4a77"
    body = notification(sandbox, ids, idempotency_key=key)
    first, again = [
        await ask(sandbox, lambda api: create_notification_with_retry(api, body)) for _ in range(2)
    ]
    assert (first.was_replayed, again.was_replayed) == (False, True)
    assert first.response.id == again.response.id


async def test_cancel(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    made = (await sandbox.create(ids, send_after=in_an_hour())).json()["id"]
    done = await ask(sandbox, lambda api: api.cancel_notification(sandbox.app_id, made))
    assert done.success is True
    assert (await sandbox.tally())["pushes"][0]["deliveries"] == 0


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


async def test_create_user(sandbox: SandboxApp) -> None:
    user = User(
        identity=IdentityObject(external_id="ann"),
        subscriptions=[Subscription(type="ChromePush", token="https://push.test/o")],
    )
    made = await ask(sandbox, lambda api: api.create_user(sandbox.app_id, user))
    assert made.identity["onesignal_id"]
    assert made.subscriptions[0].enabled is True
    app = await ask(sandbox, lambda api: api.get_app(sandbox.app_id))
    assert app.messageable_players == 1


async def test_wrong_key_is_its_sentinel(sandbox: SandboxApp) -> None:
    with pytest.raises(onesignal.ApiException) as caught:
        await ask(
            sandbox, lambda api: api.create_notification(notification(sandbox, [])), key="wrong"
        )
    assert caught.value.status == 403
    assert caught.value.error_messages[0].startswith("Access denied.")
