"""A trigger becomes a send: once, whoever says it how often. Used by the stage and by the ops API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.models.send import NEVER, Send, empty_sums
from sender_service.models.trigger import Trigger, TriggerHead
from sender_service.store.campaigns import CampaignStore
from sender_service.store.sends import SendStore
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.errors import CarillonError, Conflict, InvalidPayload, NotFound, Rejected


@dataclass(frozen=True)
class Said:
    """A trigger as parsed: its head, itself or what is wrong with it, and its content's digest."""

    head: TriggerHead
    trigger: Trigger | InvalidPayload
    digest: str


class Intake:
    """Turns what was said into sends. `nudge` wakes the planner of this process."""

    def __init__(
        self,
        *,
        apps: AppRegistry,
        campaigns: CampaignStore,
        sends: SendStore,
        clock: Clock,
        retention: timedelta,
        nudge: Callable[[], None],
    ) -> None:
        self._apps = apps
        self._campaigns = campaigns
        self._sends = sends
        self._clock = clock
        self._retention = retention
        self._nudge = nudge

    async def accept(self, said: Sequence[Said]) -> list[Rejected | None]:
        """For each: None when it is a send now (or was before), else why it is a dead letter.

        What names an app but is wrong otherwise becomes a refused send. Raises StoreUnavailable.
        """
        if any(self._apps.get(s.head.app) is None for s in said):
            await self._apps.refresh()  # perhaps it is only new, or we are
        verdicts: list[Rejected | None] = [self._unknown_app(s.head) for s in said]
        fresh: dict[str, Send] = {}
        for one, verdict in zip(said, verdicts, strict=True):
            if verdict is None and one.head.id not in fresh:
                fresh[one.head.id] = await self._to_send(one)
        known = await self._sends.insert(list(fresh.values()))
        digests = {send: document["digest"] for send, document in fresh.items()}
        for send in known:
            before = await self._sends.get(send)
            if before is not None:
                digests[send] = before["digest"]
        for index, one in enumerate(said):
            if verdicts[index] is None and digests[one.head.id] != one.digest:
                verdicts[index] = Conflict(
                    "this id was a trigger with other content", code="trigger_id_reused"
                )
        self._nudge()
        return verdicts

    def _unknown_app(self, head: TriggerHead) -> Rejected | None:
        if self._apps.get(head.app) is None:
            return NotFound("no such app", code="unknown_app")
        return None

    async def _to_send(self, said: Said) -> Send:
        now = self._clock()
        if isinstance(said.trigger, InvalidPayload):
            return self._send(said, now, error=said.trigger)
        try:
            await self._check_campaign(said.trigger)
            due, expires = said.trigger.life(now)
        except Rejected as exc:
            return self._send(said, now, error=exc)
        return self._send(said, now, due=due, expires=expires)

    async def _check_campaign(self, trigger: Trigger) -> None:
        campaign = await self._campaigns.campaign(trigger.app, trigger.campaign)
        if campaign is None:
            raise NotFound("campaign: there is none of this name", code="unknown_campaign")
        if not campaign.enabled:
            raise Rejected("campaign: it is switched off", code="campaign_disabled")

    def _send(
        self,
        said: Said,
        now: datetime,
        *,
        due: datetime | None = None,
        expires: datetime | None = None,
        error: CarillonError | None = None,
    ) -> Send:
        trigger = said.trigger if isinstance(said.trigger, Trigger) else None
        refused = error is not None
        return {
            "_id": said.head.id,
            "app": said.head.app,
            "campaign": trigger.campaign if trigger else "",
            "priority": trigger.priority if trigger else "marketing",
            "digest": said.digest,
            "trigger": trigger.document() if trigger and not refused else {},
            "state": "refused" if refused else "planning",
            "paused": False,
            "error": f"{error.code}: {error.message}" if error else None,
            "frozen": None,
            "createdAt": now,
            "dueAt": due or now,
            "expiresAt": expires or now,
            "planDue": NEVER if refused else due or now,
            "planner": None,
            "pages": 0,
            "totals": empty_sums() if refused else None,
            "closedAt": now if refused else None,
            "expireAt": max(expires or now, now) + self._retention,
        }
