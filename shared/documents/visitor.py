"""Document of a browser, as stored: its epochs, and their contributions to profiles."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from shared.documents.merge import EventMark
from shared.documents.player import PlayerStatusFields, StampFields, StatusChangeFields
from shared.documents.profile import BasketLine


class TextValue(StampFields):
    value: str


class EmailValue(TextValue):
    proven: bool


class TagsValue(StampFields):
    value: dict[str, Any]


class BasketState(TypedDict):
    """A whole basket, as a page reported it; its total may differ from the lines' sum."""

    items: list[BasketLine]
    total: float | None
    currency: str | None


class BasketRefill(EventMark):
    """Event that set a basket's lines again behind an order, if the order is later than `after`.

    The browser can't know: another one may have reported the order at an earlier time.
    """

    order: str
    after: datetime


class BasketDate(TypedDict):
    """Date of a basket's lines. `since` is the event that set them, but for the refills, oldest first.

    `first`: nothing of the epoch from before `since` says what the basket held then.
    """

    since: EventMark
    first: NotRequired[bool]
    refills: NotRequired[list[BasketRefill]]


class BasketValue(StampFields, BasketDate):
    """Register of the whole basket."""

    value: BasketState


class BasketChange(StampFields):
    """A change of a basket's line. Without `quantity` it adds one piece, or removes the line."""

    item: str
    adds: bool
    quantity: float | None
    price: float | None
    currency: str | None


class ViewedEntry(StampFields):
    item: str
    category: str | None


class CategoryEntry(StampFields):
    id: str


class PurchaseEntry(StampFields):
    """An order, stamped by its earliest event; `last` is the later one that its values are from."""

    id: str
    items: list[BasketLine]
    revenue: float | None
    currency: str | None
    last: StampFields | None


class Contribution(TypedDict, total=False):
    """Contribution of an epoch, or of several, to a profile. Lists are sorted, newest first."""

    firstSeenAt: datetime
    lastSeenAt: datetime
    email: EmailValue
    timeZone: TextValue
    language: TextValue
    browser: TextValue
    tags: TagsValue
    basket: BasketValue
    basketChanges: list[BasketChange]
    viewed: list[ViewedEntry]
    categories: list[CategoryEntry]
    purchases: list[PurchaseEntry]


class UnmergeFields(EventMark):
    """A merge into `person`, which was undone."""

    person: str
    undone: EventMark


class EpochFields(TypedDict):
    """Epoch of a browser. `wasProven` stands for an older epoch that was joined to it."""

    openedBy: str
    login: str | None
    anonymousId: str | None
    identifiedAt: EventMark | None
    contribution: Contribution
    proven: bool
    wasProven: NotRequired[bool]
    unmerged: NotRequired[list[UnmergeFields]]
    neverMergeWith: NotRequired[list[str]]


class ErasedPlayer(StampFields):
    """A player that was erased with its person, with the place of its last status."""

    id: str
    proof: NotRequired[StampFields]


class ErasureFields(EventMark):
    players: list[ErasedPlayer]
    persons: list[str]


class VisitorHead(TypedDict):
    """A browser without its large fields. `visitor` is None once it is erased."""

    _id: str
    app: str
    visitor: str | None
    epochs: list[EpochFields]
    persons: list[str]
    nextEpochFrom: NotRequired[str]


class Visitor(VisitorHead):
    """A browser. `_id` is a keyed hash of its app and visitor id."""

    rev: int
    players: list[PlayerStatusFields]
    statusHistory: dict[str, list[StatusChangeFields]]
    seenEvents: bytes
    seenBoundaries: bytes
    erased: NotRequired[ErasureFields]
