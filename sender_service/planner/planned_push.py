"""Push of a page that is planned, as caps and gaps count it: by when it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sender_service.pages.document import ChunkDocument
from sender_service.planner.send_plan import SendPlan
from sender_service.store.contact_pushes import PlannedPush


def planned_push(
    plan: SendPlan,
    members: Sequence[Sequence[str]],
    chunks: Mapping[str, ChunkDocument],
    now: datetime,
) -> PlannedPush:
    """Return the push of these members. Two that wait for one morning would leave together."""
    return PlannedPush(plan.send.id, plan.caps, now, _night_ends(plan, members, chunks, now))


def _night_ends(
    plan: SendPlan,
    members: Sequence[Sequence[str]],
    chunks: Mapping[str, ChunkDocument],
    now: datetime,
) -> dict[str, datetime]:
    """Return person → the end of the night that her push waits for; of a scenario's send alone."""
    quiet = plan.quiet_hours
    if quiet is None or not plan.is_triggered:
        return {}
    ends = {name: quiet.until(now, chunk["timeZone"]) for name, chunk in chunks.items()}
    found = ((person, ends.get(chunk)) for _, person, chunk in members)
    return {person: end for person, end in found if end is not None}
