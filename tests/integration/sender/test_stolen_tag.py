"""A tag is known to everybody who got the push. With the ids of others of its chunk, one of them could
speak for all: so a webhook counts only where it names the message that the chunk was sent as."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sender_service.models.report import InteractionCounts
from shared.events.registry import ONESIGNAL_WEBHOOK
from shared.models.event import Event
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world

MESSAGE = "9b0d4f2e-0000-4000-8000-00000000000A"
NOBODY = InteractionCounts()


def webhook(
    world: SenderHarness, send: str, player: str, message: str, kind: str = "click"
) -> Event:
    now = world.clock()
    tag = {"carillon": world.tagger.sign(send, 0, "0")}
    return Event(
        app=APP, id=str(uuid.uuid4()), type=ONESIGNAL_WEBHOOK, source="webhook", player_id=player,
        occurred_at=now, received_at=now,
        data={"kind": kind, "playerID": player, "notificationId": message, "data": tag},
    )  # fmt: skip


async def planned(world: SenderHarness) -> tuple[str, str, str]:
    """Plan a send whose call has no answer yet; return its id and its two players."""
    await world.campaign()
    (ann,) = await world.person("ann")
    (bob,) = await world.person("bob")
    return await world.planned(), ann, bob


async def counts(world: SenderHarness, send: str) -> InteractionCounts:
    return await world.interactions.counts(send)


async def test_stolen_tag_with_another_message_counts_nothing(settings: Settings) -> None:
    async with open_world(settings) as world:
        send, ann, bob = await planned(world)
        await world.delivered(send, notification_id=MESSAGE)
        await world.reported(webhook(world, send, bob, str(uuid.uuid4())))
        assert await counts(world, send) == NOBODY
        await world.reported(webhook(world, send, ann, MESSAGE.lower()))
        assert await counts(world, send) == InteractionCounts(clicks=1)


async def test_stolen_tag_of_before_the_delivery_counts_nothing_either(settings: Settings) -> None:
    """Honest ones may come before it, too: they count as soon as it says which message it was."""
    async with open_world(settings) as world:
        send, ann, bob = await planned(world)
        early = webhook(world, send, ann, MESSAGE.lower())
        await world.reported(early, early, webhook(world, send, bob, str(uuid.uuid4())))
        assert await counts(world, send) == NOBODY
        await world.delivered(send, notification_id=MESSAGE)
        assert await counts(world, send) == InteractionCounts(clicks=1)
        assert await world.database["parked"].count_documents({}) == 1  # the thief's waits for ever


async def test_a_call_without_an_answer_counts_any_player_that_reports(settings: Settings) -> None:
    """OneSignal may have sent it: which message it was nobody will ever say."""
    async with open_world(settings) as world:
        send, ann, _ = await planned(world)
        lost: dict[str, Any] = {"outcome": "failed", "reason": "no_answer", "notification_id": None}
        await world.delivered(send, **lost)
        await world.reported(webhook(world, send, ann, MESSAGE))
        assert await counts(world, send) == InteractionCounts(clicks=1)


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_delivery_of_the_same_batch_is_known_by_then(
    settings: Settings, is_named: bool
) -> None:
    async with open_world(settings) as world:
        send, ann, _ = await planned(world)
        seen = webhook(world, send, ann, MESSAGE, "impression")
        if not is_named:
            await world.reported(seen)
        await world.delivered(send, notification_id=MESSAGE)
        if is_named:
            await world.reported(seen)
        assert await counts(world, send) == InteractionCounts(impressions=1)
        assert await world.database["parked"].count_documents({}) == 0
