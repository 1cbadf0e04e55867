"""A send's account as the ops API shows it: set from its pages while it runs, frozen when it closed."""

from __future__ import annotations

from typing import Any

from sender_service.models.malformed import count_malformed, show_malformed
from sender_service.models.report import PLURAL
from sender_service.models.send import Send, Sums, shown_state
from sender_service.ops.progress import Progress
from sender_service.scheduler.budget import MessageBudget
from sender_service.store.interactions import InteractionStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore
from shared.clock import Clock
from shared.errors import NotFound


class SendReader:
    def __init__(
        self,
        sends: SendStore,
        pages: PageStore,
        interactions: InteractionStore,
        budget: MessageBudget | None,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._sends = sends
        self._pages = pages
        self._interactions = interactions
        self._budget = budget
        self._clock = clock
        self._progress = progress

    async def show(self, send_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        send = await self._sends.without_list(send_id)
        if send is None:
            raise NotFound("no such send", code="unknown_send")
        head = {
            "id": send["_id"],
            "app": send["app"],
            "campaign": send["campaign"],
            "priority": send["priority"],
            "digest": send["digest"],
            "state": shown_state(send, self._clock()),
            "error": send["error"],
            "warnings": send.get("warnings", []),
            "malformed": show_malformed(send.get("malformed")),
            "createdAt": _iso(send["createdAt"]),
            "dueAt": _iso(send["dueAt"]),
            "expiresAt": _iso(send["expiresAt"]),
            "closedAt": _iso(send["closedAt"]),
            "parts": _parts(send),
            "heldSince": _iso(await self._held_since(send)),
        }
        sums = await self._sums(send)
        rest = {"forecast": await self._progress.forecast(send, sums)}
        return {**head, **rest, **sums, **await self._seen(send["_id"])}

    async def _held_since(self, send: Send) -> Any:
        if self._budget is None or send["closedAt"] is not None:
            return None
        return await self._budget.held_since(send["app"])

    async def _sums(self, send: Send) -> Sums:
        """The names that were left out are in no page: they come from the send."""
        totals = send["totals"]
        sums = totals if totals is not None else (await self._pages.sums(send["_id"]))[0]
        left_out = count_malformed(send.get("malformed"))
        return {**sums, "people": {**sums["people"], "malformed": left_out}}

    async def _seen(self, send: str) -> dict[str, int]:
        counts = await self._interactions.counts(send)
        return {PLURAL[kind]: count for kind, count in counts.items()}


def _parts(send: Send) -> dict[str, int] | None:
    """Of a list that isn't whole yet."""
    parts = send.get("parts")
    if parts is None or parts["complete"]:
        return None
    return {"of": parts["of"], "came": len(parts["got"])}


def _iso(moment: Any) -> str | None:
    return (
        None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
