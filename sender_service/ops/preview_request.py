"""Requests for a preview: a trigger, or a list with a recipient a line, of which a part is kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson

from sender_service.intake.accept import Intake
from sender_service.intake.lines import Lines, bad_at, check_any, read_head, read_recipient
from sender_service.intake.lists import too_many
from sender_service.intake.request import check_written, parse_request
from sender_service.models.malformed import BadName, Malformed, why_nobody
from sender_service.models.recipient import Recipient
from sender_service.models.trigger import MAX_RECIPIENTS, Terms, Trigger
from sender_service.planner.target import Target, to_target
from shared.errors import InvalidPayload
from shared.models.wire import load_json

LIST_BYTES = 32 * 1024 * 1024  # of a list that memory keeps


@dataclass(frozen=True)
class PreviewRequest:
    """Request for a preview. `names`: the kept part of a list; `share`: its share of the list."""

    terms: Terms
    names: list[Recipient] | None = None
    share: float = 1.0

    def target(self, due: datetime) -> Target:
        if isinstance(self.terms, Trigger):
            return to_target(self.terms, due)
        return Target(self.terms.app, due, self.names)


def read_whole(body: bytes) -> PreviewRequest:
    """Parse a trigger. Raises InvalidPayload."""
    request = parse_request(_with_id(body))
    return PreviewRequest(check_written(request.trigger))


async def read_lines(
    intake: Intake, lines: Lines, people: int, allowed: Callable[[str], None]
) -> PreviewRequest:
    """Parse a list. All lines are checked; at most `people` are kept. Raises Rejected."""
    first = await anext(lines, None)
    terms = read_head(first and (first[0], _with_id(first[1])))
    allowed(terms.app)
    names: list[Recipient] = []
    total = size = 0
    malformed = Malformed()
    async for number, line in lines:
        found = read_recipient(number, line, total)
        total, size = total + 1, size + len(line)
        if total > MAX_RECIPIENTS:
            raise too_many()
        if isinstance(found, Recipient):
            why = why_nobody(*found.address, intake.allowed_logins(terms.app))
            found = found if why is None else bad_at(number, total - 1, *why)
        if isinstance(found, BadName):
            malformed = malformed.with_name(found)
        elif len(names) < people and size <= LIST_BYTES:
            names.append(found)
    check_any(total, malformed)
    terms._malformed = malformed
    return PreviewRequest(terms, names, len(names) / (total - malformed.count))


def _with_id(body: bytes) -> bytes:
    """Add a random id where the body has none."""
    value = load_json(body)
    if not isinstance(value, dict) or "id" in value:
        return body
    try:
        return orjson.dumps({**value, "id": str(uuid.uuid4())})
    except orjson.JSONEncodeError as exc:
        raise InvalidPayload("the body is nested too deep", code="too_deep") from exc
