"""A list over HTTP: the trigger on the first line, then one recipient a line, of any length.

It is cut into parts as it arrives, so memory is bounded. Parts belong to no send until the last
line, when the send is stored. They are deleted if a line is wrong or the client disconnects. A
short list equals a trigger with recipients, and may take the fast path.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import orjson

from sender_service.intake.lines import (
    PART_BYTES,
    Lines,
    bad_at,
    check_any,
    list_too_large,
    read_head,
    read_recipient,
)
from sender_service.intake.lists import KEPT_AFTER_EXPIRY, to_document, too_many
from sender_service.intake.request import TriggerRequest, reused
from sender_service.models.malformed import BadName, Malformed, why_nobody
from sender_service.models.recipient import Recipient
from sender_service.models.send import Parts, Send
from sender_service.models.trigger import (
    FEW_RECIPIENTS,
    MAX_PARTS,
    MAX_RECIPIENTS,
    Terms,
    Trigger,
    digest_of,
)
from sender_service.store.parts import PartStore
from sender_service.store.sends import SendStore

PART_RECIPIENTS = 5_000


class SendFactory(Protocol):
    """Checks terms and makes the send to store."""

    async def check(self, terms: Terms) -> tuple[datetime, datetime]: ...

    async def to_send(self, request: TriggerRequest) -> Send: ...

    def allowed_logins(self, app: str) -> Collection[str]: ...


@dataclass
class _Cut:
    """Recipients read so far: written parts, and recipients that aren't written yet."""

    send: str
    digest: Any
    allowed: Collection[str] = ()  # logins that look like nobody's
    malformed: Malformed = Malformed()
    names: list[str] = field(default_factory=list)
    waiting: list[dict[str, object]] = field(default_factory=list)
    total: int = 0
    _bytes: int = 0
    _in_one: bool = True  # no part was full yet
    _token: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    def add(self, found: Recipient | BadName, number: int, size: int) -> bool:
        """Add a recipient; return whether the part is full. Raises TooLarge, Rejected.

        The digest covers all readable names: an app's later settings don't change it.
        """
        if isinstance(found, Recipient):
            document = to_document(found)
            self.digest.update(orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n")
            why = why_nobody(*found.address, self.allowed)
            found = found if why is None else bad_at(number, self.total, *why)
        if isinstance(found, BadName):
            self.malformed = self.malformed.with_name(found)
        else:
            self.waiting.append(document)
            self._bytes += size
        self.total += 1
        if self.total > MAX_RECIPIENTS:
            raise too_many()
        is_full = self._bytes >= PART_BYTES or len(self.waiting) >= PART_RECIPIENTS
        self._in_one = self._in_one and not is_full
        return is_full

    @property
    def is_short(self) -> bool:
        return self._in_one and self.total <= FEW_RECIPIENTS

    def next_part(self) -> tuple[str, list[dict[str, object]]]:
        if len(self.names) == MAX_PARTS:
            raise list_too_large()
        name, recipients = f"{self.send}:{len(self.names) + 1}:{self._token}", self.waiting
        self.names.append(name)
        self.waiting, self._bytes = [], 0
        return name, recipients


class ListUpload:
    def __init__(self, sends: SendStore, parts: PartStore) -> None:
        self._sends = sends
        self._parts = parts

    async def take(self, lines: Lines, factory: SendFactory) -> TriggerRequest:
        """Store a list; return its terms, or the whole trigger of a short list, which isn't stored.

        Raises Rejected, naming the line, and StoreUnavailable; nothing is stored then.
        """
        terms = read_head(await anext(lines, None))
        _, expires = await factory.check(terms)
        shared = digest_of(terms.document())
        cut = _Cut(terms.id, hashlib.sha256(shared.encode()), factory.allowed_logins(terms.app))
        before = await self._sends.get(terms.id)
        try:
            await self._cut(lines, cut, None if before is not None else expires)
            terms._malformed = cut.malformed
            request = TriggerRequest(terms, terms, f"lines:{cut.digest.hexdigest()}")
            if cut.is_short:
                whole = Trigger.model_validate({**terms.document(), "recipients": cut.waiting})
                whole._malformed = cut.malformed
                return replace(request, trigger=whole)
            if before is None:
                before = await self._begin(request, cut, shared, factory)
            if before is not None and before.digest != request.digest:
                raise reused()
        except BaseException:  # the client went away, too
            await self._parts.drop(cut.names)
            raise
        if before is not None:  # repeated: the same list is stored already
            await self._parts.drop(cut.names)
        return request

    async def _cut(self, lines: Lines, cut: _Cut, expires: datetime | None) -> None:
        """Write the parts; for a known send only read the lines."""
        async for number, line in lines:
            is_full = cut.add(read_recipient(number, line, cut.total), number, len(line))
            if is_full:
                await self._write(cut, expires)
        check_any(cut.total, cut.malformed)
        if cut.waiting and not cut.is_short:
            await self._write(cut, expires)

    async def _write(self, cut: _Cut, expires: datetime | None) -> None:
        if expires is None:
            cut.waiting = []
            return
        name, recipients = cut.next_part()
        await self._parts.put(name, cut.send, recipients, expires + KEPT_AFTER_EXPIRY)

    async def _begin(
        self, request: TriggerRequest, cut: _Cut, shared: str, factory: SendFactory
    ) -> Send | None:
        """Store the send; return the existing one if another request was faster."""
        send = await factory.to_send(request)
        send.parts = Parts(
            total=len(cut.names),
            shared_digest=shared,
            received={str(n): name for n, name in enumerate(cut.names, 1)},
            recipients=cut.total - cut.malformed.count,
            complete=True,
        )
        if send.state == "refused":  # the campaign was switched off meanwhile
            await self._parts.drop(cut.names)
        return await self._sends.get(send.id) if await self._sends.insert([send]) else None
