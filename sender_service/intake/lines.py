"""Lines of a list over HTTP: the trigger first, then one recipient a line."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sender_service.intake.reserved import refuse_reserved
from sender_service.models.malformed import BadName, LeftOut, Malformed, refuse_all
from sender_service.models.recipient import Recipient
from sender_service.models.trigger import MAX_PARTS, MAX_TRIGGER_BYTES, Terms
from shared.errors import FieldError, InvalidPayload, TooLarge
from shared.models.strict import WHOLE, validate_strictly
from shared.models.wire import load_json

PART_BYTES = 1024 * 1024  # of the lines; as a document it may take some times as much
MAX_UPLOAD_BYTES = MAX_PARTS * PART_BYTES  # also of what is in no part
ELSEWHERE = ("audience", "recipients", "part", "parts")

Lines = AsyncIterator[tuple[int, bytes]]


def read_head(first: tuple[int, bytes] | None) -> Terms:
    """Parse the first line. Raises InvalidPayload."""
    if first is None:
        raise InvalidPayload("the first line is the trigger", code="no_trigger")
    number, line = first
    try:
        value = load_json(line, is_line=True)
        for key in ELSEWHERE:
            if isinstance(value, dict) and key in value:
                error = FieldError(key, "not_here", "recipients come one a line")
                raise InvalidPayload(f"{key}: {error.message}", errors=[error])
        terms = validate_strictly(Terms, value)
        refuse_reserved(terms)
        return terms
    except InvalidPayload as exc:
        raise _at_line(number, exc) from exc


def read_recipient(number: int, line: bytes, index: int) -> Recipient | BadName:
    """Parse a recipient, or return why its name is malformed. Raises InvalidPayload.

    Only an unknown key raises: it is most likely in all lines.
    """
    try:
        return validate_strictly(Recipient, load_json(line, is_line=True))
    except InvalidPayload as exc:
        unknown = [error for error in exc.errors if error.code == "unknown_key"]
        if unknown:
            text = f"{unknown[0].field}: {unknown[0].message}"
            raise _at_line(number, InvalidPayload(text, errors=unknown)) from exc
        code = exc.errors[0].code if exc.errors else exc.code
        return bad_at(number, index, code, _message_of(exc))


def bad_at(number: int, index: int, code: str, message: str) -> BadName:
    return BadName(index, code, f"line {number}: {message}")


def check_any(total: int, malformed: Malformed) -> None:
    """Check that the list names somebody. Raises InvalidPayload."""
    if not total:
        raise InvalidPayload("a list has at least one recipient", code="no_recipients")
    if malformed.count == total:
        raise refuse_all(LeftOut({}, malformed, "lines", is_empty=True))


def _at_line(number: int, error: InvalidPayload) -> InvalidPayload:
    """Return the same error with its line in the fields: `lines.17.visitor`."""
    if not number:
        return error
    found = error.errors or [FieldError(WHOLE, error.code, error.message)]
    place = f"lines.{number}"
    errors = [
        FieldError(place if e.field == WHOLE else f"{place}.{e.field}", e.code, e.message)
        for e in found
    ]
    text = f"line {number}: {_message_of(error)}"
    return InvalidPayload(text, code=error.code, errors=errors)


def _message_of(error: InvalidPayload) -> str:
    """Return the error's message. One of the whole value names no field: the line has its number."""
    return error.message.removeprefix(f"{WHOLE}: ")


async def peek_head(lines: Lines) -> tuple[Terms, Lines]:
    """Return the first line's terms, and all lines with the first. Raises InvalidPayload."""
    first = await anext(lines, None)
    head = read_head(first)
    assert first is not None

    async def again() -> Lines:
        yield first
        async for line in lines:
            yield line

    return head, again()


async def to_lines(chunks: AsyncIterator[bytes], start: int = 1) -> Lines:
    """Yield numbers, from `start` on, and lines, without empty ones. Raises TooLarge.

    Empty lines count, so no upload is endless. A line in a million pieces is joined once.
    """
    number, size = start - 1, 0
    rest = bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES:
            raise list_too_large()
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
        what = f"line {number}" if number else "the trigger"
        raise TooLarge(f"{what} has more than 1 MiB", code="line_too_large")


def list_too_large() -> TooLarge:
    return TooLarge(f"a list has at most {MAX_PARTS} MiB", code="list_too_large")
