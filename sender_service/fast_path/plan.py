"""Plan of a batch on the fast path: its sends, and what to publish once they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from sender_service.models.campaign import Campaign
from sender_service.models.recipient import Recipient
from sender_service.models.send import Send
from sender_service.models.trigger import Trigger
from shared.models.app import App
from shared.models.job import Job

BATCH_STEPS = 1_000_000  # of rendering, of all sends of a batch: a tenth of a second


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
