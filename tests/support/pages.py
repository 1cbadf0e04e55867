"""Builders of pages: complete documents, and objects on them, with the fields that a test names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sender_service.models.send import NEVER
from sender_service.models.sums import encode_sums
from sender_service.pages.document import ChunkDocument, PageDocument, new_chunk, page_id
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from tests.support.clocks import START

ANSWER_TIMEOUT = timedelta(seconds=90)


def build_chunk(planned_at: datetime = START, /, **fields: Any) -> ChunkDocument:
    return cast(ChunkDocument, {**new_chunk("a", planned_at), **fields})


def build_page_document(
    send: str,
    members: Sequence[Sequence[str]],
    chunks: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    at: datetime = START,
    **fields: Any,
) -> PageDocument:
    """Build a page of these members; chunks default to planned ones that the members name.

    It is open and due, unless `fields` differ.
    """
    if chunks is None:
        chunks = {name: {} for name in dict.fromkeys(member[2] for member in members) if name}
    number = fields.get("number", 0)
    page = {
        "_id": page_id(send, number), "send": send, "app": "demo", "number": number,
        "priority": "marketing", "resumeAt": None, "members": [list(member) for member in members],
        "outcomes": {}, "chunks": {name: build_chunk(at, **of) for name, of in chunks.items()},
        "notifications": [], "noPlayer": 0, "capReserved": False, "open": True, "dueAt": at,
        "inFlight": 0, "answerDueAt": NEVER, "anyAttempted": False, "sums": {},
        "plannedAt": at, "bodiesId": "", "rev": 0, "expireAt": NEVER, **fields,
    }  # fmt: skip
    document = cast(PageDocument, page)
    document["sums"] = encode_sums(summarise(document))
    return document


def build_page(
    send: str,
    members: Sequence[Sequence[str]],
    chunks: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,
) -> Page:
    return Page(build_page_document(send, members, chunks, **fields))
