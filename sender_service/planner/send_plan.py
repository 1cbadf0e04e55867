"""Plan of a send: settings that all its pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sender_service.models.campaign import Campaign
from sender_service.models.policy import AppPolicy, Gap
from sender_service.models.send import Send
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.planner.rendering import Renderer
from shared.models.app import Cap


@dataclass(frozen=True)
class SendPlan:
    """Send, campaign, renderer and limits, shared by all pages. Limits are in players."""

    send: Send
    campaign: Campaign
    renderer: Renderer
    page_members: int
    chunk_members: Mapping[str, int]  # provider → players of a call; others' players get nothing
    of_app: AppPolicy = AppPolicy()

    def calls_for(self, provider: str, players: int) -> int:
        """Return the calls that so many players of one push need."""
        return -(-players // min(self.page_members, self.chunk_members[provider]))

    @property
    def is_transactional(self) -> bool:
        return bool(self.send.priority == "transactional")

    @property
    def is_triggered(self) -> bool:
        return bool(self.send.priority == "triggered")

    @property
    def quiet_hours(self) -> SendQuietHours | None:
        return SendQuietHours.of(self.campaign.policy, self.of_app, self.send.priority)

    @property
    def caps(self) -> list[Cap | Gap]:
        """Frequency caps that apply together, and a scenario's gap; transactional sends have none."""
        if self.is_transactional:
            return []
        found = (
            self.campaign.policy.cap,
            self.of_app.cap,
            self.of_app.gap if self.is_triggered else None,
        )
        return [cap for cap in found if cap is not None]
