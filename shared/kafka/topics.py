"""Topics, their partition counts, retention and consumer groups: declared here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_MS = 24 * 3600 * 1000

PROJECTOR_GROUP = "carillon.projector"
INTAKE_GROUP = "carillon.intake"
TRANSACTIONAL_DISPATCHER_GROUP = "carillon.dispatcher.transactional"
MARKETING_DISPATCHER_GROUP = "carillon.dispatcher.marketing"
ACCOUNTING_GROUP = "carillon.accounting"
ERASURE_GROUP = "carillon.erasure"
DEAD_LETTERS_GROUP = "carillon.dead-letters"
SCENARIOS_GROUP = "carillon.scenarios"


@dataclass(frozen=True)
class Topic:
    """Topic as it is created. `groups` are all that read it, so "consumed" means by each."""

    name: str
    partitions: int
    retention_ms: int
    groups: tuple[str, ...] = field(default=())


EVENTS_TOPIC = Topic(
    "carillon.events", 6, 30 * DAY_MS, (PROJECTOR_GROUP, ACCOUNTING_GROUP, ERASURE_GROUP)
)
TRIGGERS_TOPIC = Topic("carillon.triggers", 3, 7 * DAY_MS, (INTAKE_GROUP,))
TRANSACTIONAL_JOBS_TOPIC = Topic(
    "carillon.jobs.transactional", 3, 7 * DAY_MS, (TRANSACTIONAL_DISPATCHER_GROUP,)
)
MARKETING_JOBS_TOPIC = Topic(
    "carillon.jobs.marketing", 3, 7 * DAY_MS, (MARKETING_DISPATCHER_GROUP,)
)
DELIVERIES_TOPIC = Topic("carillon.deliveries", 6, 7 * DAY_MS, (PROJECTOR_GROUP, ACCOUNTING_GROUP))
MOMENTS_TOPIC = Topic("carillon.moments", 6, 7 * DAY_MS, (SCENARIOS_GROUP,))
DEAD_LETTERS_TOPIC = Topic("carillon.dead-letters", 1, 30 * DAY_MS, (DEAD_LETTERS_GROUP,))

TOPICS = (
    EVENTS_TOPIC,
    TRIGGERS_TOPIC,
    TRANSACTIONAL_JOBS_TOPIC,
    MARKETING_JOBS_TOPIC,
    DELIVERIES_TOPIC,
    MOMENTS_TOPIC,
    DEAD_LETTERS_TOPIC,
)
