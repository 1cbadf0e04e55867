"""Facts of a moment: what one event shows about a person.

They are written by the projector as they are, and validated where a topic's record is read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from shared.models.wire import Moment


@dataclass(slots=True)
class FactLine:
    """Line of a basket or an order."""

    item: str
    quantity: float
    price: float | None = None


@dataclass(slots=True)
class _Fact:
    """Event that it is of, and when that occurred."""

    id: str
    at: Moment


@dataclass(slots=True)
class Viewed(_Fact):
    """View of an item's page."""

    item: str
    category: str | None = None
    kind: Literal["viewed"] = "viewed"


@dataclass(slots=True)
class CategorySeen(_Fact):
    """View of a page in this category; an item's page has one too."""

    category: str
    kind: Literal["category"] = "category"


@dataclass(slots=True)
class BasketChanged(_Fact):
    """Basket of one browser after its last change; without a line it was emptied."""

    items: list[FactLine]
    total: float | None = None
    currency: str | None = None
    kind: Literal["basket"] = "basket"


@dataclass(slots=True)
class Bought(_Fact):
    """Order, at the earliest time that is known of it. `source` is who reported it: a page or a server."""

    order: str
    items: list[FactLine]
    source: str
    revenue: float | None = None
    currency: str | None = None
    kind: Literal["bought"] = "bought"


@dataclass(slots=True)
class Identified(_Fact):
    """Login in a browser that was logged out, or was logged in as somebody else."""

    kind: Literal["identified"] = "identified"


@dataclass(slots=True)
class Subscribed(_Fact):
    """Subscription of a player that was unknown or unsubscribed before."""

    kind: Literal["subscribed"] = "subscribed"


@dataclass(slots=True)
class CustomEvent(_Fact):
    """Event of a shop's own type, with its data."""

    type: str
    data: dict[str, Any]
    kind: Literal["event"] = "event"


@dataclass(slots=True)
class Joined(_Fact):
    """Merge of the anonymous person `was` into this one."""

    was: str
    kind: Literal["joined"] = "joined"


@dataclass(slots=True)
class Separated(_Fact):
    """Undone merge: this person was part of the person `was`."""

    was: str
    kind: Literal["parted"] = "parted"


@dataclass(slots=True)
class Erased(_Fact):
    """Erasure of all that is known of this person until then."""

    kind: Literal["erased"] = "erased"


Fact = (
    Viewed
    | CategorySeen
    | BasketChanged
    | Bought
    | Identified
    | Subscribed
    | CustomEvent
    | Joined
    | Separated
    | Erased
)
KINDS = frozenset(
    field.default for fact in get_args(Fact) for field in fields(fact) if field.name == "kind"
)
