"""Lists in parts, which come in any order and more than once: stored until all are there.

The first part creates the send, due for planning when it expires. A planner that finds it then
refuses it, because parts are missing. The last part makes it due at its own time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.intake.request import TriggerRequest, reused
from sender_service.models.malformed import room_left
from sender_service.models.recipient import Recipient
from sender_service.models.send import Parts, Send
from sender_service.models.trigger import MAX_RECIPIENTS, Trigger
from sender_service.models.trigger_parts import Part
from sender_service.store.parts import PartStore
from sender_service.store.sends import SendStore
from shared.clock import Clock
from shared.errors import InvalidPayload, Rejected

KEPT_AFTER_EXPIRY = timedelta(days=7)  # a planner may be late; then MongoDB forgets them itself
Draft = Callable[[TriggerRequest], Awaitable[Send]]


class ListIntake:
    def __init__(self, sends: SendStore, parts: PartStore, clock: Clock) -> None:
        self._sends = sends
        self._parts = parts
        self._clock = clock

    async def take(self, request: TriggerRequest, draft: Draft) -> Rejected | None:
        """Store a part; return the reason if it is a dead letter.

        Return None if it is stored, was stored before, or its send has ended. Raises
        StoreUnavailable; repeating it changes nothing.
        """
        assert request.part is not None
        send = await self._sends.get(request.head.id)
        if send is None:
            send = _begin(await draft(request), request, request.part)
            if await self._sends.insert([send]):  # another replica was faster
                send = await self._sends.get(request.head.id)
                assert send is not None
        parts = send.parts
        if parts is None:
            return reused()
        known = parts.received.get(str(request.part.number))
        if known is not None:
            return None if known == _name(request, request.part) else reused()
        if send.state == "planning":
            await self._add(send, parts, request, request.part)
        return None

    async def _add(self, send: Send, parts: Parts, request: TriggerRequest, part: Part) -> None:
        if not isinstance(request.trigger, Trigger):
            assert isinstance(request.trigger, InvalidPayload)
            return await self._refuse(send, request.trigger)
        if (parts.shared_digest, parts.total) != (part.shared, part.of):
            text = "parts: they differ in what all of them must say alike"
            return await self._refuse(send, Rejected(text, code="parts_disagree"))
        recipients = [to_document(recipient) for recipient in request.trigger.named() or ()]
        name = _name(request, part)
        await self._parts.put(name, send.id, recipients, kept_until(send))
        malformed = request.trigger.malformed.limited(room_left(send.malformed))
        now_known = await self._sends.note_part(
            send.id, part.number, name, len(recipients), malformed
        )
        if now_known is not None:
            await self._check_complete(now_known)
        return None

    async def _check_complete(self, send: Send) -> None:
        parts = send.parts
        assert parts is not None
        if send.state != "planning":  # it ended while the part was written
            await self._parts.forget(send.id)
        elif parts.recipients > MAX_RECIPIENTS:
            await self._refuse(send, too_many())
        elif len(parts.received) == parts.total:
            await self._sends.complete_list(send)

    async def _refuse(self, send: Send, error: Rejected) -> None:
        text = f"{error.code}: {error.message}"
        await self._sends.refuse_unplanned(send.id, text, self._clock())
        await self._parts.forget(send.id)


def to_document(recipient: Recipient) -> dict[str, object]:
    return recipient.model_dump(by_alias=True, exclude_none=True)


def kept_until(send: Send) -> datetime:
    return send.expires_at + KEPT_AFTER_EXPIRY


def too_many() -> Rejected:
    return Rejected(f"recipients: at most {MAX_RECIPIENTS}", code="too_many_recipients")


def _name(request: TriggerRequest, part: Part) -> str:
    """Return the id of the part's document, which differs by content."""
    return f"{request.head.id}:{part.number}:{request.digest[:32]}"


def _begin(send: Send, request: TriggerRequest, part: Part) -> Send:
    """Return the send, due for planning when it expires, until all parts are there."""
    refused = send.state == "refused"
    parts = Parts(
        total=part.of,
        shared_digest=part.shared,
        received={str(part.number): _name(request, part)} if refused else {},
        recipients=0,
        complete=False,
    )
    due = send.plan_due if refused else send.expires_at
    return replace(send, digest=f"parts:{part.shared}", parts=parts, plan_due=due)
