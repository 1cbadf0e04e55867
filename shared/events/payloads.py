"""Data of events, by type. Received ones are validated before they are published.

Those are TypedDicts: as they are on the topic, read without a copy. Carillon's own events pass no
endpoint, so a reader validates them: each is a model, and an odd optional value counts as absent.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args

from pydantic import BeforeValidator, Field, StringConstraints

from shared.models.wire import Wire

InteractionKind = Literal["impression", "click", "close"]
INTERACTION_KINDS: tuple[InteractionKind, ...] = get_args(InteractionKind)


class LinePayload(TypedDict):
    """A line of a basket or an order. A page may list a removed item with quantity 0."""

    item: str
    quantity: float
    price: NotRequired[float | None]


class TransactionPayload(TypedDict, total=False):
    """The order that a web page shows, without its lines."""

    id: str
    revenue: float
    shipping: float
    tax: float


class PageviewPayload(TypedDict, total=False):
    pageType: str
    itemID: str
    categoryID: str
    category: str
    hierarchy: list[str]
    hierarchyID: list[str]
    impressedProducts: list[str]
    results: int
    basketItems: list[LinePayload]
    basketTotal: float
    currency: str
    query: str
    transaction: TransactionPayload


class BasketChangePayload(TypedDict):
    """A change of a basket's line. Without `quantity` it adds one piece, or removes the line."""

    itemID: str
    quantity: NotRequired[float]
    price: NotRequired[float]
    categoryID: NotRequired[str]
    currency: NotRequired[str]


class PurchasePayload(TypedDict):
    """An order; the event's id replaces one that couldn't be read."""

    items: list[LinePayload]
    id: NotRequired[str]
    revenue: NotRequired[float]
    shipping: NotRequired[float]
    tax: NotRequired[float]
    currency: NotRequired[str]


class IdentifyPayload(TypedDict, total=False):
    """A login, an email, or both.

    `claimed` is the person id of a login that was left out, because it lacks its required proof.
    """

    login: str
    email: str
    proven: bool
    claimed: str


class StatusPayload(TypedDict):
    """A player's subscription, as its browser or an import reports it."""

    playerID: str
    status: str
    state: str
    reason: NotRequired[str]
    permission: NotRequired[str]


class InteractionPayload(TypedDict):
    """A webhook's claim of an interaction; anybody may send one. `data` is the push's own."""

    kind: InteractionKind
    notificationId: str
    playerID: str
    action: NotRequired[str]
    url: NotRequired[str]
    data: NotRequired[dict[str, Any]]


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str) and v] if isinstance(value, list) else []


Text = Annotated[str, StringConstraints(min_length=1)]
OptionalText = Annotated[str | None, BeforeValidator(_text_or_none)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Flag = Annotated[bool, BeforeValidator(bool)]


class InternalPayload(Wire):
    """Base of the data of Carillon's own events."""

    def data(self) -> dict[str, Any]:
        """Return the event's data: the fields that were given."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class StreamPayload(InternalPayload):
    """An event of OneSignal's Event Streams."""

    kind: OptionalText = None
    notification_id: OptionalText = None
    player_id: OptionalText = Field(default=None, alias="playerID")
    tag: OptionalText = None
    reason: OptionalText = None


class ImportPayload(InternalPayload):
    """A row of an export. `undated`: it has no time at which the browser was seen."""

    player_id: Text = Field(alias="playerID")
    status: Text
    state: Text
    reason: OptionalText = None
    login: OptionalText = None
    tags: dict[str, Any] = {}
    undated: Flag = False


class ErasePayload(InternalPayload):
    """An erasure of a person in one of its browsers; each of these has its own event.

    `find_others`: also in browsers that only ingest finds, whose own events are `late`. A login is
    named by its keyed hash.
    """

    person: Text
    players: Texts = []
    aliases: Texts = []
    login_hash: OptionalText = None
    find_others: Flag = False
    late: Flag = False


class UndoMergePayload(InternalPayload):
    """An undone merge: the merged person's id, or both ids of the pair."""

    merge: Text | Annotated[tuple[Text, Text], Field(strict=False)]
    person: OptionalText = None

    @property
    def pair(self) -> set[str]:
        """Ids that this event names: of the merged person, and of the one it was merged into."""
        merged = {self.merge} if isinstance(self.merge, str) else set(self.merge)
        return merged | ({self.person} if self.person else set())
