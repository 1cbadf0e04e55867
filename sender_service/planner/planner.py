"""Planner: plans leased sends page by page; after a crash it resumes behind the last page."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.account_closing import close_complete
from sender_service.models.campaign import Campaign
from sender_service.models.policy import AppPolicy
from sender_service.models.send import FINAL, PlanningChanges, Send
from sender_service.models.trigger import Terms
from sender_service.planner.building import SendPlan
from sender_service.planner.paging import LeaseLost, Paging, PagingStores
from sender_service.planner.rendering import Renderer, compiling
from sender_service.planner.scenario_look import UNCLEAR_PAUSE
from sender_service.planner.target import MergeUnclear, NamesUnknown, target_of
from sender_service.planner.tools import PlannerTools
from sender_service.store.parts import PartLost
from shared.errors import Rejected, Unavailable
from shared.health import Component
from shared.loops import Wakeup
from shared.mongo.errors import blame_database
from shared.priority import Priority

log = logging.getLogger("carillon.planner")


class Planner:
    """Worker that plans sends. `name` is unique: leases carry it."""

    def __init__(self, name: str, priorities: tuple[Priority, ...], tools: PlannerTools) -> None:
        self._name = name
        self._priorities = priorities
        self._tools = tools
        self._idle_seconds = 0.0  # until the next send is due, or the next poll
        self._excused: list[str] = []  # sends that the database's absence interrupted

    async def run(self, stop: asyncio.Event, wakeup: Wakeup, component: Component) -> None:
        while not stop.is_set():
            try:
                with blame_database():
                    worked = await self.plan_one()
                component.beat()
            except Unavailable as exc:
                worked = False
                component.wait_for(exc)
            if not worked:
                await wakeup.wait(self._idle_seconds)

    async def plan_one(self) -> bool:
        """Plan a due send; return False when there is none. Raises StoreUnavailable."""
        while self._excused:
            await self._tools.sends.planning.uncount(self._excused[-1])
            self._excused.pop()
        lease, poll = self._tools.settings.lease_seconds, self._tools.settings.poll_seconds
        self._idle_seconds = poll
        for priority in self._priorities:
            now, queue = self._tools.clock(), self._tools.sends.planning
            among = {"priority": priority}
            # Read first: mostly nothing is due, and a write costs twice as much.
            due = await queue.next_due(among, now + timedelta(seconds=poll))
            if due is None:
                continue
            if due > now:
                self._idle_seconds = min(self._idle_seconds, (due - now).total_seconds())
                continue
            send = await queue.lease(among, self._name, now, lease)
            if send is not None:
                await self._plan_or_end(send)
                return True
        return False

    async def _plan_or_end(self, send: Send) -> None:
        """Plan the send, or end it with the error that planning raised. Raises StoreUnavailable."""
        began = time.monotonic()
        try:
            await self._plan(send)
        except NamesUnknown:
            await self._wait_for_names(send, time.monotonic() - began)
        except MergeUnclear:
            # Planning was postponed on purpose: that attempt isn't counted.
            changes: PlanningChanges = {"begun": max(0, send.begun - 1)}
            await self._postpone(send, self._tools.clock() + UNCLEAR_PAUSE, changes)
        except LeaseLost:
            await self._abandon(send.id)
        except PartLost as exc:
            await self._refuse_if_leased(send, exc)
        except Rejected as exc:
            await self._refuse(send, exc)
        except Unavailable:
            self._excused.append(send.id)
            raise
        except Exception as exc:  # one faulty send must not stop the others
            log.error("planning failed", exc_info=exc, extra={"send": send.id})
            fault = Rejected(f"planning failed: {type(exc).__name__}", code="planning_failed")
            await self._refuse(send, fault)

    async def _plan(self, send: Send) -> None:
        tools = self._tools
        target = target_of(send)
        if target.is_list and tools.unknown_names is not None:
            target = replace(target, can_postpone=await tools.unknown_names.may_come(send))
        campaign, of_app = await self._campaign(send)
        plan = SendPlan(
            send,
            campaign,
            Renderer(Terms.model_validate(send.trigger).variables, time_zone=of_app.time_zone),
            tools.settings.page_members,
            tools.chunk_members(send.app),
            of_app,
        )
        renewed = time.monotonic()

        async def keep(changes: PlanningChanges | None = None) -> None:
            nonlocal renewed
            if changes or time.monotonic() - renewed > tools.settings.lease_seconds / 3:
                await self._keep(send, changes or {})
                renewed = time.monotonic()

        async for _ in compiling(campaign):
            await keep()

        stores = PagingStores(
            tools.pages, tools.audience, tools.contacts, tools.clock, tools.erasure
        )
        look = await tools.look_of(send)
        count = await Paging(plan, target, stores, keep, look).run()
        await tools.pages.make_due(send.id, tools.clock())
        planned: PlanningChanges = {"state": "sending", "pages": count}
        if not await tools.sends.planning.complete(send.id, self._name, planned):
            raise LeaseLost
        if target.parts:
            await tools.audience.parts.forget(send.id)
        await close_complete(tools.sends, tools.pages, [send.id], tools.clock())
        tools.notify()
        log.info("send planned", extra={"send": send.id, "app": send.app, "pages": count})

    async def _wait_for_names(self, send: Send, took_seconds: float) -> None:
        names = self._tools.unknown_names
        assert names is not None
        await self._postpone(send, *await names.postponed(send, took_seconds))

    async def _postpone(self, send: Send, due: datetime, changes: PlanningChanges) -> None:
        """Postpone the send; its pages stay. Raises StoreUnavailable."""
        if not await self._tools.sends.planning.postpone(send.id, self._name, due, changes):
            await self._abandon(send.id)

    async def _campaign(self, send: Send) -> tuple[Campaign, AppPolicy]:
        """Return the campaign and the app's policy as they were when planning began.

        Raises Rejected when the campaign is missing or disabled.
        """
        snapshot = send.campaign_snapshot
        if snapshot is not None:
            return Campaign.stored(snapshot), AppPolicy.model_validate(snapshot)
        campaign = await self._tools.campaigns.campaign(send.app, send.campaign)
        if campaign is None or not campaign.enabled:
            raise Rejected("campaign: it is gone or switched off", code="campaign_disabled")
        of_app = self._tools.policy(send.app)
        await self._keep(send, {"campaign_snapshot": {**campaign.document(), **of_app.document()}})
        return campaign, of_app

    async def _keep(self, send: Send, changes: PlanningChanges) -> None:
        """Renew the lease and write the changes. Raises LeaseLost."""
        until = self._tools.clock() + timedelta(seconds=self._tools.settings.lease_seconds)
        if not await self._tools.sends.planning.renew(send.id, self._name, until, changes):
            raise LeaseLost

    async def _abandon(self, send: str) -> None:
        """Leave the send to its new planner; make the pages of an ended send due."""
        log.warning("lease lost", extra={"send": send})
        document = await self._tools.sends.get(send)
        if document is not None and document.state in FINAL:
            await self._tools.pages.make_due(send, self._tools.clock())

    async def _refuse_if_leased(self, send: Send, error: Rejected) -> None:
        """Refuse the send if the lease is still held."""
        # Else another planner planned the send and deleted its parts.
        try:
            await self._keep(send, {})
        except LeaseLost:
            await self._abandon(send.id)
        else:
            await self._refuse(send, error)

    async def _refuse(self, send: Send, error: Rejected) -> None:
        """End the send as refused; close its pages and delete its parts."""
        tools = self._tools
        why = f"{error.code}: {error.message}"
        if await tools.sends.end(send.id, "refused", why, planner=self._name):
            await tools.pages.make_due(send.id, tools.clock())
            await close_complete(tools.sends, tools.pages, [send.id], tools.clock())
            if send.parts is not None:
                await tools.audience.parts.forget(send.id)
            log.warning("send refused", extra={"send": send.id, "code": error.code})
