"""The fast lane: small transactional sends are planned and released in the batch that brought them.

By planner's and scheduler's functions and documents, so that any goes on where another stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sender_service.closing import close_complete
from sender_service.models.campaign import Campaign
from sender_service.models.send import NEVER, Send
from sender_service.models.templates import is_compiled
from sender_service.models.trigger import FEW_RECIPIENTS, Recipient, Trigger
from sender_service.pages.page import Page, PageEdit, pending_counts
from sender_service.pages.transitions import release, to_job
from sender_service.planner.audience import AudienceReader
from sender_service.planner.building import PageBuilder, PagePlan
from sender_service.planner.early import EarlyNames
from sender_service.planner.paging import BAD_SHARE, END
from sender_service.planner.recipients import NAMES_A_READ, ResolvedRecipient, resolve, resolve_list
from sender_service.planner.rendering import (
    Allowance,
    Body,
    Renderer,
    SendTooDear,
    compiling,
)
from sender_service.planner.target import Candidate
from sender_service.scheduler.ahead import InFlightLimit
from sender_service.scheduler.budget import Grant
from sender_service.scheduler.publishing import publish_jobs
from sender_service.scheduler.scheduler import EXHAUSTED_DELAY, SchedulerTools
from sender_service.scheduler.tidying import is_sending
from sender_service.store.campaigns import Campaigns
from sender_service.yield_timer import YieldTimer
from shared.clock import monotonic
from shared.models.app import App
from shared.models.job import Job

# Steps of rendering: of a send, and of all sends of a batch together (a tenth of a second). What takes
# more waits for the planner, so that no send holds up the batch that brought it.
SEND_STEPS = 200_000
BATCH_STEPS = 1_000_000
MAX_UNCOMPILED = 10_000  # characters of a campaign's texts


@dataclass(frozen=True)
class FastPathSend:
    """A send that takes the fast lane."""

    send: Send
    app: App
    campaign: Campaign
    trigger: Trigger
    names: list[Recipient]


@dataclass
class FastPathPlan:
    """What is to be done once the sends are stored."""

    steps: int = BATCH_STEPS  # of rendering that are left
    jobs: list[Job] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)


class TransactionalFastPath:
    """`plan` turns sends of the batch from planning to sending where it can, `release` calls for
    them. What doesn't fit is left as it was, for the planner."""

    def __init__(
        self, tools: SchedulerTools, audience: AudienceReader, early: EarlyNames | None = None
    ) -> None:
        self._early = early
        self._tools = tools
        self._audience = audience
        self._ahead = InFlightLimit(tools.settings.release_ahead_seconds, monotonic)

    async def plan(self, sends: Sequence[Send], campaigns: Campaigns) -> FastPathPlan:
        """Pages are stored before their sends: a crash between repeats the batch, and finds them.
        `campaigns`: those of the sends, as their batch read them.
        """
        ride = FastPathPlan()
        ready: Campaigns = {
            key: campaign
            for key, campaign in campaigns.items()
            if campaign is not None and await _is_compiled(campaign)
        }
        riders = self._riders(sends, ready)
        for app in {rider.app.id: rider.app for rider in riders}.values():
            await self._plan_app(app, [r for r in riders if r.app.id == app.id], ride)
        return ride

    async def release(self, ride: FastPathPlan) -> None:
        """Raises LogUnavailable; then the scheduler's sweep comes to them."""
        if ride.jobs:
            await publish_jobs(self._tools.writer, ride.jobs)
        done = [send for send in ride.sends if send not in {job.send for job in ride.jobs}]
        if done:
            tools = self._tools
            await close_complete(tools.sends, tools.pages, done, tools.clock())

    def _riders(self, sends: Sequence[Send], campaigns: Campaigns) -> list[FastPathSend]:
        riders = []
        for send in sends:
            app = self._tools.apps.get(send["app"])
            if app is None or not is_sending(app) or send["dueAt"] > self._tools.clock():
                continue
            trigger = Trigger.model_validate(send["trigger"])
            names = list(trigger.named() or ())
            campaign = campaigns.get((send["app"], send["campaign"]))
            if campaign is not None and 0 < len(names) <= FEW_RECIPIENTS:
                riders.append(FastPathSend(send, app, campaign, trigger, names))
        return riders

    async def _plan_app(self, app: App, riders: Sequence[FastPathSend], ride: FastPathPlan) -> None:
        # Side by side where one doesn't wait for the other: each is a way to the database and back.
        candidates, heads = await asyncio.gather(
            self._candidates(app.id, riders),
            self._tools.sends.heads([rider.send["_id"] for rider in riders]),
        )
        known = {head["_id"] for head in heads}
        edits: list[tuple[FastPathSend, PageEdit, list[Body]]] = []
        turns = YieldTimer()
        for rider, of_rider in zip(riders, candidates, strict=True):
            is_new = rider.send["_id"] not in known
            is_ready = is_new and not self._is_early(rider, of_rider)
            builder = self._build(rider, of_rider, ride) if is_ready else None
            await turns.yield_if_due()
            if builder is not None:
                page = builder.page(END)
                sweep = self._tools.settings.sweep_seconds
                edits.append((rider, PageEdit(page, sweep), builder.bodies))
        grant, _ = await asyncio.gather(
            self._hand_out(app, [(rider, edit) for rider, edit, _ in edits]),
            self._tools.pages.insert_bodies([(edit.page, bodies) for _, edit, bodies in edits]),
        )
        stood = await self._tools.pages.insert_all([edit.page for _, edit, _ in edits])
        await self._give_back(
            app, grant, [edit.page for _, edit, _ in edits if edit.page["_id"] in stood]
        )
        for rider, edit, bodies in edits:
            send = rider.send
            send |= {"frozen": rider.campaign.document(), "state": "sending", "pages": 1}
            send["planDue"] = NEVER
            ride.sends.append(send["_id"])
            page = stood.get(edit.page["_id"], edit.page)
            if page is not edit.page:  # what was stored is what is called, under the same keys
                bodies = await self._tools.pages.bodies(page)
            if bodies:
                ride.jobs += self._jobs(page, bodies, send, app)

    def _is_early(self, rider: FastPathSend, candidates: Sequence[Candidate]) -> bool:
        return self._early is not None and self._early.put_off(rider.send, candidates)

    async def _candidates(self, app: str, riders: Sequence[FastPathSend]) -> list[list[Candidate]]:
        """The people of all riders, looked up together."""
        every = [name for rider in riders for name in rider.names]
        found: list[ResolvedRecipient] = []
        for start in range(0, len(every), NAMES_A_READ):
            found += await resolve(self._audience.people, app, every[start : start + NAMES_A_READ])
        cut, taken = [], 0
        for rider in riders:
            cut.append(resolve_list(found[taken : taken + len(rider.names)]))
            taken += len(rider.names)
        return cut

    def _build(
        self, rider: FastPathSend, candidates: Sequence[Candidate], ride: FastPathPlan
    ) -> PageBuilder | None:
        """None for what the planner must look at: too large a page, too many bad variables, texts
        that take long."""
        if ride.steps <= 0:
            return None
        tools = self._tools
        members = tools.settings.page_members
        chunk = min(members, tools.budget.chunk_members(rider.app.id))
        allowance = Allowance(min(SEND_STEPS, ride.steps), 0)
        renderer = Renderer(rider.trigger.variables, allowance, rider.app.time_zone)
        plan = PagePlan(rider.send, rider.campaign, renderer, members, chunk)
        builder = PageBuilder(plan, 0, tools.clock(), ())
        try:
            if not all(builder.add(candidate) for candidate in candidates):
                return None
        except SendTooDear:
            return None
        finally:
            ride.steps -= allowance.spent
        people = len({member[1] for member in builder.members})
        return None if builder.bad > people * BAD_SHARE else builder

    async def _give_back(self, app: App, grant: Grant, lost: Sequence[Page]) -> None:
        """Of pages that stood there before: a batch is repeated, or somebody else was faster. They were
        reserved when they were made."""
        left = sum(sum(pending_counts(page, _released(page)).values()) for page in lost)
        booked = {}
        for minute, messages in grant.booked.items():
            booked[minute] = min(messages, left)
            left -= booked[minute]
        if any(booked.values()):
            await self._tools.budget.refund(app.id, Grant(0, booked))

    async def _hand_out(self, app: App, edits: Sequence[tuple[FastPathSend, PageEdit]]) -> Grant:
        """Release as many calls as both limits allow; the rest waits for the scheduler."""
        tools, now = self._tools, self._tools.clock()
        calls = [
            (rider, edit, chunk, count)
            for rider, edit in edits
            for chunk, count in pending_counts(edit.page, list(edit.page["chunks"])).items()
        ]
        wanted = [count for *_, count in calls[: self._ahead.room(app)]]
        grant = Grant(0, {})
        if wanted:
            grant = await tools.budget.reserve(app.id, wanted, transactional=True)
            self._ahead.taken(app, grant.calls)
        for at, (rider, edit, chunk, _) in enumerate(calls):
            if at < grant.calls:
                edit.chunk(chunk, reservedAt=now)
                release(edit, chunk, rider.send, now)
            else:
                edit.chunk(chunk, notBefore=now + EXHAUSTED_DELAY if at < len(wanted) else now)
        for _, edit in edits:
            edit.finish()
        return grant

    def _jobs(self, page: Page, bodies: Sequence[Body], send: Send, app: App) -> list[Job]:
        return [
            to_job(page, name, bodies[int(name)], send, app.one_signal.app_id, self._tools.tagger)
            for name in _released(page)
        ]


def _released(page: Page) -> list[str]:
    return [name for name, chunk in page["chunks"].items() if chunk["state"] == "released"]


async def _is_compiled(campaign: Campaign) -> bool:
    """False where compiling its texts takes long: the planner does it."""
    missing = sum(len(source) for source in campaign.sources() if not is_compiled(source))
    if 0 < missing <= MAX_UNCOMPILED:
        async for _ in compiling(campaign):
            pass
    return missing <= MAX_UNCOMPILED
