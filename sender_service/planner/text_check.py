"""Try a campaign's texts on some of the app's people when it is put."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing

from sender_service.models.campaign import Campaign, Variant
from sender_service.models.push import MANY_BYTES, MAX_PUSH_BYTES
from sender_service.models.templates import PROFILE, variables_of
from sender_service.planner.audience import AudienceReader
from sender_service.planner.rendering import Renderer, SendTooDear, compiling
from sender_service.planner.target import Target
from sender_service.yield_timer import YieldTimer
from shared.clock import utc_now
from shared.documents.profile import Profile
from shared.errors import Rejected

MAX_CHECKED_PEOPLE = 500
OUR_OWN = frozenset({PROFILE, "range"})


async def check_texts(campaign: Campaign, audience: AudienceReader) -> list[dict[str, str]]:
    """Return warnings about texts that fail or are too large. Raises StoreUnavailable.

    Variants with variables of a trigger are left out; a preview tries them.
    """
    async for _ in compiling(campaign):
        pass
    variants = [(n, v) for n, v in enumerate(campaign.variants) if _variables_in(v) <= OUR_OWN]
    if not variants:
        return []
    renderer, faults, people = Renderer({}), Counter[str](), 0
    turns = YieldTimer()
    target = Target(campaign.app, utc_now(), None)
    async with aclosing(audience.batches(target, None)) as batches:
        async for batch in batches:
            for candidate in batch.candidates[: MAX_CHECKED_PEOPLE - people]:
                people += 1
                assert candidate.profile is not None  # the target is no list
                try:
                    faults.update(_faults(renderer, variants, candidate.profile))
                except SendTooDear:
                    return [_warning("texts_too_dear", "the texts take too much work")]
                await turns.yield_if_due()
            if people >= MAX_CHECKED_PEOPLE:
                break
    return [
        *(
            _warning("bad_variables", f"{message}: {count} of {people} people would get nothing")
            for message, count in faults.most_common(20)
        ),
        *size_warnings(renderer.largest),
    ]


def _variables_in(variant: Variant) -> frozenset[str]:
    return frozenset[str]().union(*map(variables_of, variant.sources()))


def _faults(renderer: Renderer, variants: list[tuple[int, Variant]], profile: Profile) -> list[str]:
    found = []
    for number, variant in variants:
        renderer.begin_person()
        try:
            renderer.render(variant, profile, {})
        except Rejected as exc:
            found.append(f"variants.{number}.{exc.message}")
    return found


def size_warnings(largest: int) -> list[dict[str, str]]:
    """Return a warning when the largest push is nearly too large. `largest` in bytes."""
    if largest <= MANY_BYTES:
        return []
    return [
        _warning(
            "large_push", f"a push has {largest} bytes: above {MAX_PUSH_BYTES} none is delivered"
        )
    ]


def _warning(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
