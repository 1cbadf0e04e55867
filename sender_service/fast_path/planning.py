"""Fast path: plans and releases small transactional sends in the batch that brought them.

It uses the functions and documents of planner and scheduler, which continue where it stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sender_service.fast_path.plan import FastPathPlan, FastPathSend
from sender_service.fast_path.releasing import CallReleaser
from sender_service.models.push import Push
from sender_service.models.send import NEVER, Send
from sender_service.models.trigger import FEW_RECIPIENTS, Trigger
from sender_service.pages.document import END
from sender_service.pages.page import Page
from sender_service.planner.audience import AudienceReader
from sender_service.planner.bad_share import BAD_SHARE
from sender_service.planner.building import PageBuilder, SendPlan
from sender_service.planner.recipients import LINES_A_READ, ResolvedRecipient, resolve, resolve_list
from sender_service.planner.rendering import Allowance, Renderer, SendTooDear, compile_short
from sender_service.planner.target import Candidate
from sender_service.planner.unknown_names import UnknownNames
from sender_service.scheduler.repair import is_sending
from sender_service.scheduler.tools import SchedulerTools
from sender_service.store.campaigns import Campaigns
from sender_service.store.stores import Stores
from sender_service.yield_timer import YieldTimer
from shared.models.app import App

# Rendering steps of a send. The planner takes sends that need more, so that none delays its batch.
FAST_PATH_SEND_STEPS = 200_000
MAX_UNCOMPILED = 10_000  # characters of a campaign's texts


class TransactionalFastPath:
    """Planner and scheduler of small transactional sends; it leaves others to the planner."""

    def __init__(
        self,
        tools: SchedulerTools,
        audience: AudienceReader,
        unknown_names: UnknownNames | None = None,
    ) -> None:
        self._unknown_names = unknown_names
        self._tools = tools
        self._audience = audience
        self._releaser = CallReleaser(tools)

    @classmethod
    def of(
        cls, tools: SchedulerTools, stores: Stores, unknown_names: UnknownNames | None
    ) -> TransactionalFastPath:
        audience = AudienceReader(stores.people, stores.parts)
        return cls(tools, audience, unknown_names)

    async def plan(self, sends: Sequence[Send], campaigns: Campaigns) -> FastPathPlan:
        """Plan sends of a batch and store their pages. `campaigns`: those of the sends."""
        # Pages are stored before their sends: a crash between repeats the batch, which finds them.
        batch = FastPathPlan()
        ready: Campaigns = {
            key: campaign
            for key, campaign in campaigns.items()
            if campaign is not None and await compile_short(campaign, MAX_UNCOMPILED)
        }
        chosen = self._choose(sends, ready)
        for app in {fast.app.id: fast.app for fast in chosen}.values():
            await self._plan_app(app, [each for each in chosen if each.app.id == app.id], batch)
        return batch

    async def release(self, batch: FastPathPlan) -> None:
        """Publish the jobs. Raises LogUnavailable: the scheduler releases them later."""
        await self._releaser.publish(batch)

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
        planned: list[tuple[FastPathSend, Page, list[Push]]] = []
        yield_timer = YieldTimer()
        for fast, found in zip(chosen, candidates, strict=True):
            is_new = fast.send.id not in known
            is_ready = is_new and not self._is_postponed(fast, found)
            builder = self._build(fast, found, batch) if is_ready else None
            await yield_timer.yield_if_due()
            if builder is not None:
                planned.append((fast, builder.page(END), builder.pushes))
        grants, _ = await asyncio.gather(
            self._releaser.release_calls(app, [(fast.send, page) for fast, page, _ in planned]),
            self._tools.pages.insert_bodies([(page, pushes) for _, page, pushes in planned]),
        )
        stood = await self._tools.pages.insert_all([page for _, page, _ in planned])
        lost = [page for _, page, _ in planned if page.id in stood]
        await self._releaser.refund(app, grants, lost)
        for fast, ours, pushes in planned:
            send = fast.send
            send.campaign_snapshot = fast.campaign.document()
            send.state, send.pages, send.plan_due = "sending", 1, NEVER
            batch.sends.append(send.id)
            page = stood.get(ours.id, ours)
            if page is not ours:  # the stored page is sent, under the same keys
                pushes = await self._tools.pages.pushes(page)
            if pushes:
                batch.jobs += self._releaser.build_jobs(app, page, send, pushes)

    def _is_postponed(self, fast: FastPathSend, candidates: Sequence[Candidate]) -> bool:
        return self._unknown_names is not None and self._unknown_names.put_off(
            fast.send, candidates
        )

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
        chunks = tools.budget.chunk_members(fast.app.id)
        allowance = Allowance(min(FAST_PATH_SEND_STEPS, batch.steps), 0)
        renderer = Renderer(fast.trigger.variables, allowance, fast.app.time_zone)
        plan = SendPlan(fast.send, fast.campaign, renderer, tools.settings.page_members, chunks)
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
