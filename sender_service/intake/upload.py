"""A list over HTTP: the trigger on the first line, then one recipient a line, of any length.

It is cut into parts as it comes, so memory stays bounded; they belong to nobody until the send is
stored with the last line, and are dropped when a line is wrong or the client goes away. Of a few
recipients it is the same as a trigger that names them, and may take the fast lane.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import orjson

from sender_service.intake.lists import KEPT_AFTER_EXPIRY, to_document, too_many
from sender_service.intake.said import Said, reused
from sender_service.models.send import Parts, Send
from sender_service.models.trigger import (
    FEW_RECIPIENTS,
    MAX_PARTS,
    MAX_RECIPIENTS,
    MAX_TRIGGER_BYTES,
    Recipient,
    Terms,
    Trigger,
    digest_of,
)
from sender_service.store.parts import PartStore
from sender_service.store.sends import SendStore
from shared.errors import FieldError, InvalidPayload, TooLarge
from shared.models.strict import validate_strictly
from shared.models.wire import load_json

PART_BYTES = 1024 * 1024  # of the lines; as a document it may take some times as much
PART_RECIPIENTS = 5_000
MAX_UPLOAD_BYTES = MAX_PARTS * PART_BYTES  # also of what is in no part
ELSEWHERE = ("audience", "recipients", "part", "parts")

Lines = AsyncIterator[tuple[int, bytes]]


class Judge(Protocol):
    """Says whether a send may be, and what is stored of it."""

    async def check(self, terms: Terms) -> tuple[datetime, datetime]: ...

    async def to_send(self, said: Said) -> Send: ...


@dataclass
class _Cut:
    """What came so far: the parts that are written, and the recipients that aren't yet."""

    send: str
    digest: Any
    names: list[str] = field(default_factory=list)
    waiting: list[dict[str, object]] = field(default_factory=list)
    total: int = 0
    _bytes: int = 0
    _in_one: bool = True  # no part was full yet
    _token: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    def add(self, recipient: Recipient, size: int) -> bool:
        """True when the part is full. Raises TooLarge, Rejected."""
        document = to_document(recipient)
        self.digest.update(orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n")
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
            raise _list_too_large()
        name, recipients = f"{self.send}:{len(self.names) + 1}:{self._token}", self.waiting
        self.names.append(name)
        self.waiting, self._bytes = [], 0
        return name, recipients


class ListUpload:
    def __init__(self, sends: SendStore, parts: PartStore) -> None:
        self._sends = sends
        self._parts = parts

    async def take(self, lines: Lines, judge: Judge) -> Said:
        """What was said: a whole trigger where the list is short, and nothing of it is stored; else
        its terms, and it is. Raises Rejected, naming the line, and StoreUnavailable; then nothing
        is kept."""
        terms = read_head(await anext(lines, None))
        _, expires = await judge.check(terms)
        shared = digest_of(terms.document())
        cut = _Cut(terms.id, hashlib.sha256(shared.encode()))
        before = await self._sends.get(terms.id)
        try:
            await self._cut(lines, cut, None if before is not None else expires)
            said = Said(terms, terms, f"lines:{cut.digest.hexdigest()}")
            if cut.is_short:
                whole = {**terms.document(), "recipients": cut.waiting}
                return replace(said, trigger=Trigger.model_validate(whole))
            if before is None:
                before = await self._begin(said, cut, shared, judge)
            if before is not None and before["digest"] != said.digest:
                raise reused()
        except BaseException:  # the client went away, too
            await self._parts.drop(cut.names)
            raise
        if before is not None:  # said before: the same is kept already
            await self._parts.drop(cut.names)
        return said

    async def _cut(self, lines: Lines, cut: _Cut, expires: datetime | None) -> None:
        """Write the parts; only look at the lines where the send is known already."""
        async for number, line in lines:
            is_full = cut.add(read_recipient(number, line), len(line))
            if is_full:
                await self._write(cut, expires)
        if not cut.total:
            raise InvalidPayload("a list has at least one recipient", code="no_recipients")
        if cut.waiting and not cut.is_short:
            await self._write(cut, expires)

    async def _write(self, cut: _Cut, expires: datetime | None) -> None:
        if expires is None:
            cut.waiting = []
            return
        name, recipients = cut.next_part()
        await self._parts.put(name, cut.send, recipients, expires + KEPT_AFTER_EXPIRY)

    async def _begin(self, said: Said, cut: _Cut, shared: str, judge: Judge) -> Send | None:
        """Store the send; returns the one that was faster, if there was one."""
        parts: Parts = {
            "of": len(cut.names),
            "shared": shared,
            "got": {str(n): name for n, name in enumerate(cut.names, 1)},
            "recipients": cut.total,
            "complete": True,
        }
        send: Send = {**await judge.to_send(said), "parts": parts}
        if send["state"] == "refused":  # the campaign was switched off meanwhile
            await self._parts.drop(cut.names)
        return await self._sends.get(send["_id"]) if await self._sends.insert([send]) else None


def read_head(first: tuple[int, bytes] | None) -> Terms:
    """The first line. Raises InvalidPayload."""
    if first is None:
        raise InvalidPayload("the first line is the trigger", code="no_trigger")
    number, line = first
    try:
        value = load_json(line)
        for key in ELSEWHERE:
            if isinstance(value, dict) and key in value:
                error = FieldError(key, "not_here", "recipients come one a line")
                raise InvalidPayload(f"{key}: {error.message}", errors=[error])
        return validate_strictly(Terms, value)
    except InvalidPayload as exc:
        raise _at_line(number, exc) from exc


def read_recipient(number: int, line: bytes) -> Recipient:
    try:
        return validate_strictly(Recipient, load_json(line))
    except InvalidPayload as exc:
        raise _at_line(number, exc) from exc


def _at_line(number: int, error: InvalidPayload) -> InvalidPayload:
    """The same, naming the line: `lines.17.visitor`."""
    found = error.errors or [FieldError("body", error.code, error.message)]
    place = f"lines.{number}"
    errors = [
        FieldError(place if e.field == "body" else f"{place}.{e.field}", e.code, e.message)
        for e in found
    ]
    return InvalidPayload(f"line {number}: {error.message}", code=error.code, errors=errors)


async def peek_head(lines: Lines) -> tuple[Terms, Lines]:
    """Return what the first line says, and all lines as if none had been read. Raises InvalidPayload."""
    first = await anext(lines, None)
    head = read_head(first)
    assert first is not None

    async def again() -> Lines:
        yield first
        async for line in lines:
            yield line

    return head, again()


async def to_lines(chunks: AsyncIterator[bytes]) -> Lines:
    """(number from 1 on, line) without empty ones. Raises TooLarge.

    Empty lines count too, so that no upload is endless; a line that comes in a million pieces is
    put together once.
    """
    number, size = 0, 0
    rest = bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES:
            raise _list_too_large()
        first, *more = chunk.split(b"\n")
        rest += first
        _measure(number + 1, rest)
        for line in more:
            number += 1
            if rest.strip():
                yield number, bytes(rest)
            rest = bytearray(line)
            _measure(number + 1, rest)
    if rest.strip():
        yield number + 1, bytes(rest)


def _measure(number: int, line: bytearray) -> None:
    if len(line) > MAX_TRIGGER_BYTES:
        raise TooLarge(f"line {number} has more than 1 MiB", code="line_too_large")


def _list_too_large() -> TooLarge:
    return TooLarge(f"a list has at most {MAX_PARTS} MiB", code="list_too_large")
