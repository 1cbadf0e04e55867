"""Topics, their partition counts, retention and consumer groups: declared here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_MS = 24 * 3600 * 1000

PROJECTOR = "carillon.projector"
INTAKE = "carillon.intake"
DISPATCHER_TRANSACTIONAL = "carillon.dispatcher.transactional"
DISPATCHER_MARKETING = "carillon.dispatcher.marketing"
ACCOUNTING = "carillon.accounting"
ERASURE = "carillon.erasure"
UNDERTAKER = "carillon.dead-letters"


@dataclass(frozen=True)
class Topic:
    """A topic as it is created; `groups` are all that read it, so "consumed" means by each."""

    name: str
    partitions: int
    retention_ms: int
    groups: tuple[str, ...] = field(default=())


EVENTS = Topic("carillon.events", 6, 30 * DAY_MS, (PROJECTOR, ACCOUNTING, ERASURE))
TRIGGERS = Topic("carillon.triggers", 3, 7 * DAY_MS, (INTAKE,))
JOBS_TRANSACTIONAL = Topic(
    "carillon.jobs.transactional", 3, 7 * DAY_MS, (DISPATCHER_TRANSACTIONAL,)
)
JOBS_MARKETING = Topic("carillon.jobs.marketing", 3, 7 * DAY_MS, (DISPATCHER_MARKETING,))
DELIVERIES = Topic("carillon.deliveries", 6, 7 * DAY_MS, (PROJECTOR, ACCOUNTING))
DEAD_LETTERS = Topic("carillon.dead-letters", 1, 30 * DAY_MS, (UNDERTAKER,))

TOPICS = (EVENTS, TRIGGERS, JOBS_TRANSACTIONAL, JOBS_MARKETING, DELIVERIES, DEAD_LETTERS)
