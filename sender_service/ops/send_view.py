"""Account of a send in the ops API: summed from its pages while it runs, stored when it is closed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sender_service.account_closing import sums_so_far
from sender_service.models.malformed import count_malformed, show_malformed
from sender_service.models.send import SendOverview, SendRow, public_state
from sender_service.models.sums import Sums, encode_sums
from sender_service.ops.context import OpsContext
from sender_service.ops.forecast import SendForecast
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.sends import PartsResponse, SendResponse
from sender_service.ops.waiting import PAGES_WAIT, WaitingReasons
from sender_service.store.interactions import InteractionStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore
from shared.clock import Clock
from shared.errors import NotFound


class SendView:
    def __init__(
        self,
        sends: SendStore,
        pages: PageStore,
        interactions: InteractionStore,
        waiting: WaitingReasons,
        clock: Clock,
        progress: SendForecast,
    ) -> None:
        self._sends = sends
        self._pages = pages
        self._interactions = interactions
        self._waiting = waiting
        self._clock = clock
        self._progress = progress

    async def show(self, send_id: str) -> SendResponse:
        """Return the send's account. Raises NotFound."""
        send = await self._sends.without_list(send_id)
        if send is None:
            raise NotFound("no such send", code="unknown_send")
        sums = await sums_so_far(self._pages, send)
        limited_since = await self._waiting.limited_since(send)
        waiting, now = await self._waiting.find(send, limited_since), self._clock()
        waits_until = next((one.until for one in waiting if one.code in PAGES_WAIT), None)
        fields = {
            **head_of_send(send, now),
            "digest": send.digest,
            "warnings": [*send.warnings, *_remarks(send, sums)],
            "malformed": show_malformed(send.malformed),
            "parts": _parts(send),
            "limitedSince": limited_since,
            "waiting": waiting,
            "forecast": await self._progress.forecast(send, sums, waits_until, now),
            **encode_sums(sums),
            "people": {**sums.people, "malformed": count_malformed(send.malformed)},
            **asdict(await self._interactions.counts(send.id)),
        }
        return SendResponse(**fields)


def open_send_view(context: OpsContext) -> SendView:
    stores, clock = context.stores, context.clock
    waiting = WaitingReasons(context.apps, stores.pages, context.budget, clock)
    progress = SendForecast(
        stores.pages, context.budget, context.apps, context.providers, context.settings
    )
    return SendView(stores.sends, stores.pages, stores.interactions, waiting, clock, progress)


def head_of_send(send: SendRow, now: datetime) -> dict[str, Any]:
    """Return a send's own fields, without its account."""
    return {
        "id": send.id,
        "app": send.app,
        "campaign": send.campaign,
        "priority": send.priority,
        "scenario": None if send.scenario is None else asdict(send.scenario),
        "state": public_state(send, now),
        "error": send.error,
        "createdAt": send.created_at,
        "dueAt": send.due_at,
        "expiresAt": send.expires_at,
        "closedAt": send.closed_at,
    }


def _remarks(send: SendOverview, sums: Sums) -> list[WarningResponse]:
    """Return a warning where a send ended without error and reached nobody."""
    if send.state != "done" or sums.audience:
        return []
    people = sums.people["no_player"]
    if people:
        text = f"nobody was reached: of {people} people, none is known with a browser for pushes"
        return [WarningResponse(field="audience", code="nobody_reached", message=text)]
    text = "nobody is in the audience"
    return [WarningResponse(field="audience", code="empty_audience", message=text)]


def _parts(send: SendOverview) -> PartsResponse | None:
    """Return the counts of an incomplete list's parts; None for a complete one."""
    parts = send.parts
    if parts is None or parts.complete:
        return None
    return PartsResponse(of=parts.total, came=len(parts.received))
