"""Event Streams in the account: received and clicked count, failed corrects, early ones wait."""

from __future__ import annotations

import uuid
from typing import Any

from sender_service.models.report import InteractionCounts
from shared.events.registry import STREAM
from shared.models.event import Event
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world


def stream(world: SenderHarness, kind: str, player: str, message: str, tag: str = "") -> Event:
    data: dict[str, Any] = {"kind": kind, "notificationId": message, "playerID": player, "tag": tag}
    now = world.clock()
    return Event(
        app=APP, id=str(uuid.uuid4()), type=STREAM, source="stream", player_id=player,
        occurred_at=now, received_at=now, data=data,
    )  # fmt: skip


async def test_events_count_by_tag_or_by_message_and_once(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        (bob,) = await world.person("bob")
        send = await world.planned()
        tag = world.tagger.sign(send, 0, "0")
        await world.delivered(send)
        message = f"note-{send}-0-0"
        await world.reported(
            stream(world, "received", ann, "", tag),
            stream(world, "received", bob, message),
            stream(world, "received", bob, message),
            stream(world, "clicked", bob, message, "v1.no.tag"),
            stream(world, "received", str(uuid.uuid4()), message),
            stream(world, "sent", ann, message),
        )
        counts = await world.interactions.counts(send)
        assert counts == InteractionCounts(2, 1, 0)


async def test_failed_moves_sent_to_failed_also_after_the_account_closed(
    settings: Settings,
) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        await world.person("bob")
        send = await world.planned()
        await world.delivered(send)
        document = await world.sends.get(send)
        assert document is not None and document.closed_at is not None
        for _ in range(2):
            await world.reported(stream(world, "failed", ann, f"note-{send}-0-0"))
        document = await world.sends.get(send)
        assert document is not None and document.totals is not None
        assert (document.totals.sent, document.totals.failed) == (1, {"stream": 1})


async def test_events_before_their_delivery_wait_for_it(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        (bob,) = await world.person("bob")
        send = await world.planned()
        message = f"note-{send}-0-0"
        await world.reported(
            stream(world, "received", bob, message), stream(world, "failed", ann, message)
        )
        assert (await world.sums(send)).pending == 2
        await world.delivered(send)
        sums = await world.sums(send)
        assert (sums.sent, sums.failed) == (1, {"stream": 1})
        assert (await world.interactions.counts(send)).impressions == 1
        assert await world.database["parked"].count_documents({}) == 0


async def test_another_apps_webhooks_and_streams_count_nothing(settings: Settings) -> None:
    # The tag and the player are genuine, but they came with another shop's key.
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        send = await world.planned()
        await world.delivered(send)
        tag = world.tagger.sign(send, 0, "0")
        webhook = stream(world, "received", ann, "", tag).model_copy(
            update={
                "app": "other",
                "type": "oneSignalWebhook",
                "data": {"kind": "click", "playerID": ann, "data": {"carillon": tag}},
            }
        )
        others = [
            stream(world, kind, ann, "", tag).model_copy(update={"app": "other"})
            for kind in ("received", "failed")
        ]
        await world.reported(webhook, *others)
        counts = await world.interactions.counts(send)
        assert counts == InteractionCounts(0, 0, 0)
        assert (await world.sums(send)).sent == 1
