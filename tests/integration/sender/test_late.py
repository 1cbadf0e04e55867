"""Tests that what is heard of a send that is in its report already counts as late, and nowhere else."""

from __future__ import annotations

import uuid
from typing import Any

from prometheus_client import REGISTRY

from sender_service.models.report import InteractionCounts
from sender_service.store.reports import ReportStore
from shared.events.registry import ONESIGNAL_WEBHOOK, STREAM
from shared.models.event import Event
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world


def late() -> float:
    return REGISTRY.get_sample_value("carillon_interactions_total", {"result": "late"}) or 0.0


def event(world: SenderHarness, type: str, player: str, **data: Any) -> Event:
    now = world.clock()
    return Event(
        app=APP, id=str(uuid.uuid4()), type=type, source="webhook", player_id=player,
        occurred_at=now, received_at=now, data={"playerID": player, **data},
    )  # fmt: skip


async def test_after_the_fold_counts_only_as_late(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        (bob,) = await world.person("bob")
        send = await world.planned()
        tag = world.tagger.sign(send, 0, "0")
        await world.delivered(send)
        message = {"notificationId": f"note-{send}-0-0", "data": {"carillon": tag}}
        seen = {"kind": "impression", **message}
        await world.reported(event(world, ONESIGNAL_WEBHOOK, ann, **seen))
        await world.rolled_up(send)
        before = late()
        await world.reported(
            event(world, ONESIGNAL_WEBHOOK, bob, **seen),
            event(world, ONESIGNAL_WEBHOOK, ann, kind="click", **message),
            event(world, STREAM, bob, kind="clicked", tag=tag),
            event(world, STREAM, bob, kind="failed", tag=tag),
        )
        assert late() == before + 4
        assert await world.interactions.counts(send) == InteractionCounts(1, 0, 0)
        document = await world.sends.get(send)
        assert document is not None and document.totals is not None
        assert document.totals.sent == 2
        report = await ReportStore(world.database).report(f"{APP}/welcome")
        assert report is not None
        assert (report.sums.sent, report.interactions.impressions) == (2, 1)


async def test_another_send_of_the_batch_is_counted(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann")
        gone, there = await world.planned(), await world.planned()
        for send in (gone, there):
            await world.delivered(send)
        await world.rolled_up(gone)
        seen = [
            event(world, ONESIGNAL_WEBHOOK, ann, kind="click", notificationId=f"note-{send}-0-0",
                  data={"carillon": world.tagger.sign(send, 0, "0")})
            for send in (gone, there)
        ]  # fmt: skip
        await world.reported(*seen)
        assert (await world.interactions.counts(gone)).clicks == 0
        assert (await world.interactions.counts(there)).clicks == 1
