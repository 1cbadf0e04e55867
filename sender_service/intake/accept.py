"""Intake of triggers: each becomes one send, however often it arrives.

Used by the stage and by the ops API.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sender_service.intake.firing_check import FiringCheck
from sender_service.intake.lines import Lines
from sender_service.intake.lists import ListIntake
from sender_service.intake.naming import without_nobody
from sender_service.intake.request import TriggerRequest, reused
from sender_service.intake.upload import ListUpload
from sender_service.models.malformed import Malformed
from sender_service.models.send import NEVER, Send
from sender_service.models.sums import Sums
from sender_service.models.trigger import Terms, Trigger
from sender_service.models.unknown_app import UnknownApp
from sender_service.store.campaigns import Campaigns
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.errors import CarillonError, FieldError, InvalidPayload, NotFound, Rejected
from shared.nearest import did_you_mean

log = logging.getLogger("carillon.intake")


class FastPath(Protocol):
    """Plans and releases small transactional sends at once; the planner takes the rest."""

    async def plan(self, sends: Sequence[Send], campaigns: Campaigns) -> Any: ...

    async def release(self, plan: Any) -> None: ...


class Intake:
    """Turns triggers into sends. `notify` wakes the planner of this process."""

    def __init__(
        self,
        *,
        apps: AppRegistry,
        stores: Stores,
        clock: Clock,
        retention: timedelta,
        fast_path: FastPath,
        notify: Callable[[], None],
    ) -> None:
        self._apps = apps
        self._campaigns = stores.campaigns
        self._sends = stores.sends
        self._parts = stores.parts
        self._firings = FiringCheck(stores.firings)
        self._clock = clock
        self._retention = retention
        self._fast_path = fast_path
        self._notify = notify
        self._lists = ListIntake(stores.sends, stores.parts, clock)
        self._upload = ListUpload(stores.sends, stores.parts)

    async def accept(self, requests: Sequence[TriggerRequest]) -> list[Rejected | None]:
        """Return None for each request that has a send, else the reason of its dead letter.

        An invalid trigger with an app becomes a refused send. Raises StoreUnavailable.
        """
        if any(self._apps.get(request.head.app) is None for request in requests):
            await self._apps.refresh()  # perhaps it is only new, or we are
        rejections = [await self._why_not(request) for request in requests]
        of_firings = [await self._firings.without_erased(request) for request in requests]
        requests = [self._without_nobody(request) for request in of_firings]
        of_known = [i for i, rejection in enumerate(rejections) if rejection is None]
        whole = [i for i in of_known if requests[i].part is None]
        for index, rejection in zip(
            whole, await self._accept_whole([requests[i] for i in whole]), strict=True
        ):
            rejections[index] = rejection
        for index in of_known:
            if requests[index].part is not None:
                rejections[index] = await self._lists.take(requests[index], self.to_send)
                self._notify()
        for request, rejection in zip(requests, rejections, strict=True):
            if rejection is None:
                _log_accepted(request.head.id, request.head.app)
        return rejections

    async def accept_lines(self, lines: Lines) -> str:
        """Accept a list over HTTP; return the send's id. Raises Rejected, StoreUnavailable."""
        request = await self._upload.take(lines, self)
        if isinstance(request.trigger, Trigger):
            (rejection,) = await self.accept([request])
            if rejection is not None:
                raise rejection
        else:
            _log_accepted(request.head.id, request.head.app)
            self._notify()
        return request.head.id

    async def drop_list(self, send: str) -> None:
        """Delete the list of a cancelled send, which isn't planned any more."""
        await self._parts.forget(send)

    async def _accept_whole(self, requests: Sequence[TriggerRequest]) -> list[Rejected | None]:
        fresh: dict[str, Send] = {}
        read: Campaigns = {}
        for request in requests:
            if request.head.id not in fresh:
                fresh[request.head.id] = await self.to_send(request, read)
        urgent = [s for s in fresh.values() if _is_urgent(s)]
        fast_plan = await self._fast_path.plan(urgent, read) if urgent else None
        known = await self._sends.insert(list(fresh.values()))
        if fast_plan is not None:
            await self._fast_path.release(fast_plan)
        if any(send.state == "planning" for send in fresh.values()):
            self._notify()
        digests = {send: document.digest for send, document in fresh.items()}
        for send in known:
            if (before := await self._sends.get(send)) is not None:
                digests[send] = before.digest
        return [
            None
            if digests[request.head.id] == request.digest
            or await self._firings.is_repeated(request)
            else reused()
            for request in requests
        ]

    async def check(self, terms: Terms) -> tuple[datetime, datetime]:
        """Return when it is due and when it expires. Raises Rejected if the send would be refused."""
        await self.check_names(terms)
        await self._check_campaign(terms, {})
        return terms.life(self._clock())

    async def check_names(self, terms: Terms) -> None:
        """Check that app and campaign exist. Raises UnknownApp, InvalidPayload."""
        # A caller over HTTP can correct it, so no send is stored.
        if self._apps.get(terms.app) is None:
            await self._apps.refresh()
        if self._apps.get(terms.app) is None:
            raise UnknownApp(terms.app, "app")
        if await self._campaigns.campaign(terms.app, terms.campaign) is None:
            hint = did_you_mean(terms.campaign, await self._campaigns.ids_of(terms.app))
            raise _unknown("campaign", f"the app has no such campaign{hint}")

    async def _why_not(self, request: TriggerRequest) -> Rejected | None:
        """Return the reason why a request makes no send. Raises StoreUnavailable."""
        if self._apps.get(request.head.app) is None:
            return UnknownApp(request.head.app)
        return await self._firings.why_not(request)

    def _without_nobody(self, request: TriggerRequest) -> TriggerRequest:
        allowed = self.allowed_logins(request.head.app)
        return replace(request, trigger=without_nobody(request.trigger, allowed))

    def allowed_logins(self, app: str) -> Collection[str]:
        """Return the app's real logins that look like placeholders."""
        known = self._apps.get(app)
        return known.allowed_logins if known is not None else ()

    async def to_send(self, request: TriggerRequest, read: Campaigns | None = None) -> Send:
        """Return the send to store; an invalid trigger gives a refused one. `read`: campaigns that
        the batch has read already, extended here."""
        now = self._clock()
        if isinstance(request.trigger, InvalidPayload):
            return self._send(request, now, error=request.trigger)
        try:
            await self._check_campaign(request.trigger, {} if read is None else read)
            due, expires = request.trigger.life(now)
        except Rejected as exc:
            return self._send(request, now, error=exc)
        return self._send(request, now, due=due, expires=expires)

    async def _check_campaign(self, trigger: Terms, read: Campaigns) -> None:
        name = (trigger.app, trigger.campaign)
        if name not in read:
            read[name] = await self._campaigns.campaign(*name)
        campaign = read[name]
        if campaign is None:
            raise NotFound("campaign: there is none of this name", code="unknown_campaign")
        if not campaign.enabled:
            raise Rejected("campaign: it is switched off", code="campaign_disabled")

    def _send(
        self,
        request: TriggerRequest,
        now: datetime,
        *,
        due: datetime | None = None,
        expires: datetime | None = None,
        error: CarillonError | None = None,
    ) -> Send:
        trigger = request.trigger if isinstance(request.trigger, Terms) else None
        unknown = trigger.unknown if trigger else ()
        # Those of parts are noted with each part that is kept.
        malformed = trigger.malformed if trigger and request.part is None else Malformed()
        if request.part is not None and isinstance(trigger, Trigger):
            trigger = trigger.terms  # the list is kept elsewhere
        refused = error is not None
        return Send(
            id=request.head.id,
            app=request.head.app,
            campaign=trigger.campaign if trigger else request.head._campaign,
            priority=trigger.priority if trigger else "marketing",
            scenario=trigger.scenario if trigger else None,
            digest=request.digest,
            parts=None,
            trigger=trigger.document() if trigger and not refused else {},
            state="refused" if refused else "planning",
            paused=False,
            error=f"{error.code}: {error.message}" if error else None,
            warnings=[asdict(finding) for finding in unknown],
            malformed={"0": malformed} if malformed.count else {},
            campaign_snapshot=None,
            created_at=now,
            due_at=due or now,
            expires_at=expires or now,
            plan_due=NEVER if refused else due or now,
            planner=None,
            begun=0,
            pages_at_begin=0,
            looks=0,
            pages=0,
            totals=Sums() if refused else None,
            closed_at=now if refused else None,
            expire_at=max(expires or now, now) + self._retention,
            sealed=False,
            rolled_up=False,
        )


def _unknown(field: str, message: str) -> InvalidPayload:
    code = f"unknown_{field}"
    return InvalidPayload(
        f"{field}: {message}", code=code, errors=[FieldError(field, code, message)]
    )


def _log_accepted(send: str, app: str) -> None:
    log.info("trigger accepted", extra={"send": send, "app": app})


def _is_urgent(send: Send) -> bool:
    return send.state == "planning" and send.priority == "transactional"
