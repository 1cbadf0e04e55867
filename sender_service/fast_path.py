"""Fast path: plans and releases small transactional sends in the batch that brought them.

It uses the functions and documents of planner and scheduler, which continue where it stopped.
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
from sender_service.pages.page import Page
from sender_service.pages.transitions import release, to_job
from sender_service.planner.audience import AudienceReader
from sender_service.planner.building import PageBuilder, PagePlan
from sender_service.planner.early import EarlyNames
from sender_service.planner.paging import BAD_SHARE, END
from sender_service.planner.recipients import LINES_A_READ, ResolvedRecipient, resolve, resolve_list
from sender_service.planner.rendering import Allowance, Body, Renderer, SendTooDear, compiling
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

# Rendering steps: of a send, and of all sends of a batch (a tenth of a second). The planner takes sends
# that need more, so that no send delays its batch.
FAST_PATH_SEND_STEPS = 200_000
BATCH_STEPS = 1_000_000
MAX_UNCOMPILED = 10_000  # characters of a campaign's texts


@dataclass(frozen=True)
class FastPathSend:
    """A send on the fast path."""

    send: Send
    app: App
    campaign: Campaign
    trigger: Trigger
    names: list[Recipient]


@dataclass
class FastPathPlan:
    """Jobs to publish and sends to close once the sends are stored."""

    steps: int = BATCH_STEPS  # of rendering, left
    jobs: list[Job] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)


class TransactionalFastPath:
    """Planner and scheduler of small transactional sends; it leaves others to the planner."""

    def __init__(
        self, tools: SchedulerTools, audience: AudienceReader, early: EarlyNames | None = None
    ) -> None:
        self._early = early
        self._tools = tools
        self._audience = audience
        self._ahead = InFlightLimit(tools.settings.release_ahead_seconds, monotonic)

    async def plan(self, sends: Sequence[Send], campaigns: Campaigns) -> FastPathPlan:
        """Plan sends of a batch and store their pages. `campaigns`: those of the sends."""
        # Pages are stored before their sends: a crash between repeats the batch, which finds them.
        batch = FastPathPlan()
        ready: Campaigns = {
            key: campaign
            for key, campaign in campaigns.items()
            if campaign is not None and await _is_compiled(campaign)
        }
        chosen = self._choose(sends, ready)
        for app in {fast.app.id: fast.app for fast in chosen}.values():
            await self._plan_app(app, [each for each in chosen if each.app.id == app.id], batch)
        return batch

    async def release(self, batch: FastPathPlan) -> None:
        """Publish the jobs. Raises LogUnavailable: the scheduler's sweep releases them later."""
        if batch.jobs:
            await publish_jobs(self._tools.writer, batch.jobs)
        done = [send for send in batch.sends if send not in {job.send for job in batch.jobs}]
        if done:
            tools = self._tools
            await close_complete(tools.sends, tools.pages, done, tools.clock())

    def _choose(self, sends: Sequence[Send], campaigns: Campaigns) -> list[FastPathSend]:
        chosen = []
        for send in sends:
            app = self._tools.apps.get(send.app)
            if app is None or not is_sending(app) or send.due_at > self._tools.clock():
                continue
            trigger = Trigger.model_validate(send.trigger)
            names = list(trigger.named() or ())
            campaign = campaigns.get((send.app, send.campaign))
            if campaign is not None and 0 < len(names) <= FEW_RECIPIENTS:
                chosen.append(FastPathSend(send, app, campaign, trigger, names))
        return chosen

    async def _plan_app(
        self, app: App, chosen: Sequence[FastPathSend], batch: FastPathPlan
    ) -> None:
        # Independent queries run at once: each is a round trip to the database.
        candidates, heads = await asyncio.gather(
            self._candidates(app.id, chosen),
            self._tools.sends.heads([fast.send.id for fast in chosen]),
        )
        known = {head.id for head in heads}
        planned: list[tuple[FastPathSend, Page, list[Body]]] = []
        yield_timer = YieldTimer()
        for fast, found in zip(chosen, candidates, strict=True):
            is_new = fast.send.id not in known
            is_ready = is_new and not self._is_early(fast, found)
            builder = self._build(fast, found, batch) if is_ready else None
            await yield_timer.yield_if_due()
            if builder is not None:
                planned.append((fast, builder.page(END), builder.bodies))
        grant, _ = await asyncio.gather(
            self._release_calls(app, [(fast, page) for fast, page, _ in planned]),
            self._tools.pages.insert_bodies([(page, bodies) for _, page, bodies in planned]),
        )
        stood = await self._tools.pages.insert_all([page for _, page, _ in planned])
        await self._release_budget(app, grant, [page for _, page, _ in planned if page.id in stood])
        for fast, ours, bodies in planned:
            send = fast.send
            send.campaign_snapshot = fast.campaign.document()
            send.state, send.pages, send.plan_due = "sending", 1, NEVER
            batch.sends.append(send.id)
            page = stood.get(ours.id, ours)
            if page is not ours:  # the stored page is sent, under the same keys
                bodies = await self._tools.pages.bodies(page)
            if bodies:
                batch.jobs += self._jobs(page, bodies, send, app)

    def _is_early(self, fast: FastPathSend, candidates: Sequence[Candidate]) -> bool:
        return self._early is not None and self._early.put_off(fast.send, candidates)

    async def _candidates(self, app: str, chosen: Sequence[FastPathSend]) -> list[list[Candidate]]:
        """Return the candidates of each send; one query resolves the recipients of many."""
        every = [name for fast in chosen for name in fast.names]
        found: list[ResolvedRecipient] = []
        for start in range(0, len(every), LINES_A_READ):
            found += await resolve(self._audience.people, app, every[start : start + LINES_A_READ])
        cut, taken = [], 0
        for fast in chosen:
            cut.append(resolve_list(found[taken : taken + len(fast.names)]))
            taken += len(fast.names)
        return cut

    def _build(
        self, fast: FastPathSend, candidates: Sequence[Candidate], batch: FastPathPlan
    ) -> PageBuilder | None:
        """Build a page; None if it is too large, or has many bad variables or slow texts."""
        if batch.steps <= 0:
            return None
        tools = self._tools
        members = tools.settings.page_members
        chunk = min(members, tools.budget.chunk_members(fast.app.id))
        allowance = Allowance(min(FAST_PATH_SEND_STEPS, batch.steps), 0)
        renderer = Renderer(fast.trigger.variables, allowance, fast.app.time_zone)
        plan = PagePlan(fast.send, fast.campaign, renderer, members, chunk)
        builder = PageBuilder(plan, 0, tools.clock(), ())
        try:
            if not all(builder.add(candidate) for candidate in candidates):
                return None
        except SendTooDear:
            return None
        finally:
            batch.steps -= allowance.spent
        people = len({member[1] for member in builder.members})
        return None if builder.bad > people * BAD_SHARE else builder

    async def _release_budget(self, app: App, grant: Grant, lost: Sequence[Page]) -> None:
        """Release the message budget of pages that a repeated batch or another replica stored."""
        # Their budget was reserved when they were made.
        left = sum(sum(page.counts(_released(page)).values()) for page in lost)
        booked = {}
        for minute, messages in grant.booked.items():
            booked[minute] = min(messages, left)
            left -= booked[minute]
        if any(booked.values()):
            await self._tools.budget.refund(app.id, Grant(0, booked))

    async def _release_calls(self, app: App, planned: Sequence[tuple[FastPathSend, Page]]) -> Grant:
        """Release as many calls as both limits allow; the scheduler releases the rest."""
        tools, now = self._tools, self._tools.clock()
        calls = [
            (fast, page, chunk, count)
            for fast, page in planned
            for chunk, count in page.counts(page.chunks).items()
        ]
        counts = [count for *_, count in calls[: self._ahead.room(app)]]
        grant = Grant(0, {})
        if counts:
            grant = await tools.budget.reserve(app.id, counts, transactional=True)
            self._ahead.taken(app, grant.calls)
        for at, (fast, page, chunk, _) in enumerate(calls):
            if at < grant.calls:
                page.change_chunk(chunk).reserve(now)
                release(page, chunk, fast.send, now)
            else:
                page.change_chunk(chunk).postpone(
                    now + EXHAUSTED_DELAY if at < len(counts) else now
                )
        for _, page in planned:
            page.derive(tools.settings.answer_timeout)
        return grant

    def _jobs(self, page: Page, bodies: Sequence[Body], send: Send, app: App) -> list[Job]:
        return [
            to_job(page, name, bodies[int(name)], send, app.one_signal.app_id, self._tools.tagger)
            for name in _released(page)
        ]


def _released(page: Page) -> list[str]:
    return [name for name, chunk in page.chunks.items() if chunk.state == "released"]


async def _is_compiled(campaign: Campaign) -> bool:
    """Compile a campaign's texts; return False where that takes long: the planner does it."""
    missing = sum(len(source) for source in campaign.sources() if not is_compiled(source))
    if 0 < missing <= MAX_UNCOMPILED:
        async for _ in compiling(campaign):
            pass
    return missing <= MAX_UNCOMPILED
