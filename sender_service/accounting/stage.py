"""Stage on `carillon.deliveries` and `carillon.events`: one update for a page and batch."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sender_service.account_closing import close_complete, release_caps
from sender_service.accounting.interactions import (
    RefusedRun,
    VerifiedInteraction,
    is_known_message,
    is_of_chunk,
    verify_interaction,
)
from sender_service.accounting.streams import StreamMatcher
from sender_service.context import SenderContext
from sender_service.models.push_tag import TagSigner
from sender_service.pages.deliveries import apply, fail_sent
from sender_service.pages.document import page_id, send_of
from sender_service.pages.page import Page
from sender_service.store.stores import Stores
from shared import metrics
from shared.clock import Clock
from shared.events.payloads import StreamPayload
from shared.events.registry import PROVIDER_REPORTS, STREAM, payload_of
from shared.kafka.records import Record
from shared.kafka.topics import ACCOUNTING_GROUP, DELIVERIES_TOPIC, EVENTS_TOPIC
from shared.loops import Wakeup
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

log = logging.getLogger("carillon.accounting")

REFUSED_LIMIT = 10
LINGER_SECONDS = 0.1  # an account is less urgent than a push
Fact = Delivery | Event
T = TypeVar("T")


def _decode(record: Record) -> Fact | None:
    if record.topic == DELIVERIES_TOPIC.name:
        return Delivery.parse(record.value)
    return Event.parse(record.value) if record.type in PROVIDER_REPORTS else None


@dataclass(frozen=True)
class Accounting:
    stores: Stores
    streams: StreamMatcher
    tagger: TagSigner
    clock: Clock
    answer_timeout: timedelta
    scheduler: Wakeup  # an answered call makes room for more of its page

    @classmethod
    def of(cls, context: SenderContext) -> Accounting:
        return cls(
            context.stores, StreamMatcher.of(context.stores, context.tagger), context.tagger,
            context.clock, context.settings.plan.answer_timeout, context.scheduler_wakeup,
        )  # fmt: skip

    def stage(self) -> StageSpec[Fact]:
        topics = (DELIVERIES_TOPIC.name, EVENTS_TOPIC.name)
        return StageSpec(
            "accounting", ACCOUNTING_GROUP, topics, _decode, self._handle, linger_seconds=LINGER_SECONDS,
            can_rest=True,
        )  # fmt: skip

    async def _handle(self, items: Sequence[Item[Fact]]) -> list[Poison]:
        deliveries: dict[str, list[Delivery]] = defaultdict(list)
        interactions: dict[str, list[VerifiedInteraction]] = defaultdict(list)
        streamed: list[Event] = []
        for item in items:
            if isinstance(item.value, Delivery):
                deliveries[page_id(item.value.send, item.value.page)].append(item.value)
            elif item.value.type == STREAM:
                streamed.append(item.value)
            else:
                self._verify(item.value, interactions)
        pages = await self._account(deliveries) if deliveries else {}
        await self._count(interactions)
        waited = await self.streams.take_parked(pages) if deliveries else []
        await self._apply_streams(streamed + [event for event in waited if event.type == STREAM])
        await self._count_parked([event for event in waited if event.type != STREAM])
        await self.streams.forget(waited)
        if any(page.is_open for page in pages.values()):
            self.scheduler.notify()
        return []

    def _verify(self, event: Event, interactions: dict[str, list[VerifiedInteraction]]) -> None:
        seen = verify_interaction(event, self.tagger)
        if seen is None:
            metrics.INTERACTIONS_CHECKED.labels("forged").inc()
        else:
            interactions[page_id(seen.tagged.send, seen.tagged.page)].append(seen)

    async def _count_parked(self, webhooks: Sequence[Event]) -> None:
        """Count webhooks that came before the delivery with their message id."""
        interactions: dict[str, list[VerifiedInteraction]] = defaultdict(list)
        for event in webhooks:
            self._verify(event, interactions)
        await self._count(interactions)

    async def _apply_streams(self, events: Sequence[Event]) -> None:
        """Apply events of a provider's stream."""
        if not events:
            return
        matched = await self.streams.match(events)
        await self._count(matched.interactions)
        for key, failures in (await self._without_late(matched.failures)).items():
            await self._fail(key, failures)

    async def _fail(self, key: str, failures: Sequence[Event]) -> None:
        """Change outcomes from sent to failed; park failures of calls that aren't accounted yet."""
        while (page := await self.stores.pages.get(key)) is not None:
            own = [e for e in failures if e.app == page.app]
            unmatched = [e for e in own if not fail_sent(page, _player(e))]
            if page.is_open:
                await self.streams.park(unmatched)
            changes = page.changes(self.answer_timeout)
            if not changes or await self.stores.pages.update(page, changes):
                totals, _ = await self.stores.pages.sums(page.send)
                await self.stores.sends.restate(page.send, totals)
                return

    async def _account(self, deliveries: Mapping[str, Sequence[Delivery]]) -> dict[str, Page]:
        """Apply deliveries page by page; return the pages as they are now."""
        # After another replica's write all is read and applied again: what is written already
        # changes nothing.
        while True:
            pages = await self.stores.pages.get_many(list(deliveries))
            edits = []
            for key, page in pages.items():
                for delivery in deliveries[key]:
                    apply(page, delivery)
                if changes := page.changes(self.answer_timeout):
                    await release_caps(self.stores.contacts, page)
                    edits.append((page, changes))
            if not edits or await self.stores.pages.update_all(edits):
                break
        every = [d for of_page in deliveries.values() for d in of_page]
        for send in sorted({d.send for d in every if d.reason == "rejected"}):
            await self._stop_if_refused(send)
        sends = sorted({d.send for d in every})
        await close_complete(self.stores.sends, self.stores.pages, sends, self.clock())
        for delivery in every:
            log.info(
                "delivery accounted",
                extra={"send": delivery.send, "page": delivery.page, "chunk": delivery.chunk,
                       "outcome": delivery.outcome, "reason": delivery.reason,
                       "known": page_id(delivery.send, delivery.page) in pages},
            )  # fmt: skip
        return pages

    async def _stop_if_refused(self, send: str) -> None:
        """Stop the send when the provider has refused REFUSED_LIMIT of its calls in a row."""
        run = RefusedRun(REFUSED_LIMIT)
        async for chunks in self.stores.pages.chunks_of(send):
            run.add(chunks)
        if run.length >= REFUSED_LIMIT:
            why = f"provider_refuses: the provider refused {run.length} calls in a row"
            if await self.stores.sends.end(send, "refused", why):
                log.error("send stopped", extra={"send": send})
            await self.stores.pages.make_due(send, self.clock())

    async def _count(self, interactions: Mapping[str, Sequence[VerifiedInteraction]]) -> None:
        """Count each (player, kind) of the pages' members once."""
        interactions = await self._without_late(interactions)
        pages = await self.stores.pages.get_many(list(interactions))
        counted: list[tuple[Page, dict[tuple[int, str], datetime]]] = []
        unmatched: dict[str, list[VerifiedInteraction]] = {}
        for key, here in interactions.items():
            if key not in pages:
                metrics.INTERACTIONS_CHECKED.labels("late").inc(len(here))
                continue
            distinct, waiting = self._first_times(pages[key], here)
            unmatched |= {key: waiting} if waiting else {}
            if distinct:
                counted.append((pages[key], distinct))
        await self._park(unmatched)
        if not counted:
            return
        new = await self.stores.interactions.add(counted)
        metrics.INTERACTIONS_CHECKED.labels("counted").inc(new)
        metrics.INTERACTIONS_CHECKED.labels("repeated").inc(sum(len(d) for _, d in counted) - new)
        for page, distinct in counted:
            extra = {"send": page.send, "page": page.number, "interactions": len(distinct)}
            log.info("interactions counted", extra=extra)

    async def _park(self, unmatched: Mapping[str, Sequence[VerifiedInteraction]]) -> None:
        """Park interactions whose message isn't known yet; count those that are known by now."""
        # The pages are read once more after parking: so either the replica that accounts the delivery
        # finds the parked events, or this one finds the delivery.
        if not unmatched:
            return
        events = [s.webhook for of in unmatched.values() for s in of if s.webhook is not None]
        await self.streams.park(events)
        pages = await self.stores.pages.get_many(list(unmatched))
        ready = {
            key: known
            for key, here in unmatched.items()
            if key in pages and (known := [s for s in here if is_known_message(pages[key], s)])
        }
        if ready:
            await self._count(ready)
            await self.streams.forget([s.webhook for of in ready.values() for s in of if s.webhook])

    async def _without_late(self, by_page: Mapping[str, Sequence[T]]) -> dict[str, Sequence[T]]:
        """Return the facts without those of sealed sends, which are counted as late."""
        sealed = await self.stores.sends.sealed(sorted({send_of(page) for page in by_page}))
        late = [len(facts) for page, facts in by_page.items() if send_of(page) in sealed]
        metrics.INTERACTIONS_CHECKED.labels("late").inc(sum(late))
        return {page: facts for page, facts in by_page.items() if send_of(page) not in sealed}

    def _first_times(
        self, page: Page, interactions: Sequence[VerifiedInteraction]
    ) -> tuple[dict[tuple[int, str], datetime], list[VerifiedInteraction]]:
        """Return the first time of each (member, kind), and those whose message isn't known yet."""
        times: dict[tuple[int, str], datetime] = {}
        unmatched: list[VerifiedInteraction] = []
        for interaction in interactions:
            index = page.index_of(interaction.player)
            is_right: bool | None = False
            chunk = None if index is None else page.chunk_of(index)
            if index is not None and chunk and is_of_chunk(page, index, interaction):
                is_right = interaction.names_message(chunk)
            if is_right is None:
                unmatched.append(interaction)
            if index is None or not is_right:
                metrics.INTERACTIONS_CHECKED.labels(
                    "foreign" if is_right is False else "early"
                ).inc()
                continue
            at = times.get((index, interaction.kind), interaction.at)
            times[index, interaction.kind] = min(at, interaction.at)
        return times, unmatched


def _player(event: Event) -> str:
    return str(payload_of(event, StreamPayload).player_id).lower()
