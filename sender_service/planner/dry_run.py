"""Plan without sending: pages as the planner builds them are counted and thrown away."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

import orjson

from sender_service.models.push import Push
from sender_service.pages.page import Page
from sender_service.planner.audience import AudienceReader
from sender_service.planner.building import PageBuilder, SendPlan
from sender_service.planner.dry_run_limits import DryRunLimits
from sender_service.planner.dry_run_result import DryRunResult, Sample, Text
from sender_service.planner.planned_push import planned_push
from sender_service.planner.rendering import SendTooDear
from sender_service.planner.target import Batch, Candidate, Target
from sender_service.planner.text_index import TextHashSet
from sender_service.store.contacts import ContactStore
from sender_service.yield_timer import YieldTimer

Monotonic = Callable[[], float]


class DryRun:
    """Dry run of one send. Memory holds one page, and hashes of a list's players."""

    def __init__(
        self, plan: SendPlan, target: Target, audience: AudienceReader, contacts: ContactStore
    ) -> None:
        self._plan = plan
        self._target = target
        self._audience = audience
        self._contacts = contacts
        self._seen = TextHashSet()
        self._languages: dict[str, str] = {}  # by player of the current page
        self._found = DryRunResult()
        self._turns = YieldTimer()

    async def run(
        self, limits: DryRunLimits, now: datetime, monotonic: Monotonic = time.monotonic
    ) -> DryRunResult:
        """Plan within the limits. Raises StoreUnavailable."""
        found, began = self._found, monotonic()
        found.most_samples = limits.samples
        read = 0
        builder = PageBuilder(self._plan, 0, now, self._seen)
        async with aclosing(self._audience.batches(self._target, None)) as batches:
            async for batch in batches:
                try:
                    builder = await self._add(batch, builder)
                except SendTooDear:
                    found.too_dear = True
                read += len(batch.candidates)
                found.share = batch.share
                late = read >= limits.people or monotonic() - began > limits.seconds
                if late or found.too_dear:
                    break
        await self._finish_page(builder)
        return found

    async def _add(self, batch: Batch, builder: PageBuilder) -> PageBuilder:
        """Add the batch's people; return the current builder. Raises SendTooDear."""
        for candidate in batch.candidates:
            if not builder.add(candidate):
                builder = await self._finish_page(builder)
                builder.add(candidate)
            self._note_language(candidate)
            await self._turns.yield_if_due()
        return builder

    def _note_language(self, candidate: Candidate) -> None:
        if candidate.profile is not None:
            language = str(candidate.profile.get("language") or "en")
            self._languages |= dict.fromkeys(candidate.player_ids, language)

    async def _finish_page(self, builder: PageBuilder) -> PageBuilder:
        """Count the page; return a builder for the next one."""
        found = self._found
        await self._suppress_capped(builder)
        page = builder.page(None)
        counts = page.counts(page.chunks)
        self._count_calls(page, builder.pushes, counts)
        found.people += len({member[1] for member in builder.members})
        found.bad += builder.bad
        found.no_zone += builder.no_zone
        found.fault = found.fault or next(iter(builder.faults.values()), "")
        found.sums.add(page.sums)
        self._count_quiet(page, counts, builder.now)
        self._take_samples(page, builder.pushes)
        if self._target.is_list:
            self._seen.update(member[0] for member in builder.members)
        self._languages = {}
        return PageBuilder(self._plan, builder.n + 1, builder.now, self._seen)

    async def _suppress_capped(self, builder: PageBuilder) -> None:
        caps, send = self._plan.caps, self._plan.send
        if not caps or not builder.reached:
            return
        push = planned_push(self._plan, builder.members, builder.chunks, builder.now)
        refused = await self._contacts.refused(send.app, builder.reached, push)
        builder.suppress(refused, "capped")

    def _count_calls(self, page: Page, pushes: list[Push], counts: Mapping[str, int]) -> None:
        here: Counter[Text] = Counter()
        for name, count in counts.items():
            chunk = page.chunks[name]
            texts = _texts_of(chunk.variant, chunk.time_zone, pushes[int(name)])
            here[chunk.provider, texts] += count
        calls = sum(count > 0 for count in counts.values())
        self._found.calls += calls
        self._found.split += calls - self.calls_for(here)
        self._found.texts += here

    def calls_for(self, texts: Counter[Text]) -> int:
        """Return the number of calls if all messages with equal texts had one link."""
        return sum(self._plan.calls_for(provider, count) for (provider, _), count in texts.items())

    def _count_quiet(self, page: Page, counts: dict[str, int], now: datetime) -> None:
        quiet = self._plan.quiet_hours
        if quiet is None:
            return
        for name, chunk in page.chunks.items():
            until = quiet.until(now, chunk.time_zone)
            if until is not None and counts[name]:
                self._found.quiet += counts[name]
                self._found.quiet_until = max(until, self._found.quiet_until or until)

    def _take_samples(self, page: Page, pushes: list[Push]) -> None:
        found = self._found
        for name, chunk in page.chunks.items():
            if len(found.samples) >= found.most_samples:
                return
            for index in page.pending(name):
                player = page.player(index)
                language = self._languages.get(player, "en")
                sample = Sample(player, language, chunk.variant, chunk.provider, pushes[int(name)])
                if language not in found.samples:
                    found.samples[language] = sample
                elif len(found.spare) < found.most_samples:
                    found.spare.append(sample)


def _texts_of(variant: str, zone: str, push: Push) -> bytes:
    """Return a hash of the variant, the time zone and the push without its links."""
    buttons = tuple(replace(button, url=None) for button in push.buttons)
    texts = [variant, zone, replace(push, url="", buttons=buttons)]
    return hashlib.blake2b(
        orjson.dumps(texts, option=orjson.OPT_SORT_KEYS), digest_size=16
    ).digest()
