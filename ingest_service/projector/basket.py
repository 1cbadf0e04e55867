"""Baskets, folded from the last whole state, the changes since, and the orders. Pure.

The lines of a basket are its items with their quantities; their order and prices don't matter. An order
empties the basket as of the order's time, once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from ingest_service.projector.lww import Stamp, stamp
from shared.documents.merge import EventMark
from shared.documents.player import StampFields
from shared.documents.profile import Basket, BasketLine
from shared.documents.visitor import BasketChange, BasketValue, Contribution, PurchaseEntry
from shared.names import MAX_EXACT_FLOAT

WHOLE_FIELDS = itemgetter("value", "at")
STATE_FIELDS = itemgetter("items", "total", "currency")
EMPTIED_FIELDS = itemgetter("at", "currency")
ORDER_TIME = itemgetter("id", "at")
REFILL_FIELDS = itemgetter("order", "after", "at", "event")
CHANGE_FIELDS = itemgetter("item", "adds", "quantity", "price")


@dataclass(slots=True)
class _Line:
    """The lines of one item (sizes of one shoe); `rest` is the sum of their price differences."""

    item: str
    price: float | None = None
    quantity: float = 0
    rest: float = 0


@dataclass(slots=True)
class FoldedBasket:
    """A basket, and the event that set its lines, as far as a contribution shows.

    `at` is its last event's time. `is_changed`: a change since the last whole state set its lines.
    """

    lines: dict[str, _Line]
    total: float | None = None
    currency: str | None = None
    at: datetime | None = None
    since: EventMark | None = None
    is_changed: bool = False


def fold_basket(part: Contribution) -> Basket:
    """Fold the basket as a profile shows it."""
    return as_basket(fold_lines(part))


def as_basket(basket: FoldedBasket) -> Basket:
    return {
        "items": [_basket_line(line) for line in basket.lines.values()],
        "total": basket.total,
        "currency": basket.currency,
        "at": basket.at,
        "since": None if basket.since is None else basket.since["at"],
    }


def fold_lines(part: Contribution, until: Stamp | None = None) -> FoldedBasket:
    """Fold a basket from all its events, or with the changes before `until` only."""
    basket, begin = _last_whole(part.get("basket"), part.get("purchases", ()))
    changes = _changes_between(part.get("basketChanges", ()), begin, until)
    for change in changes:
        if _apply(basket.lines, change):
            basket.since, basket.is_changed = mark_of(change), True
        basket.currency = change["currency"] or basket.currency
        basket.at = change["at"]
    if changes or basket.total is None:  # a page's own total counts until a change
        basket.total = _total(basket.lines.values())
    return basket


def mark_of(entry: StampFields) -> EventMark:
    """Return the time and id of the entry's event."""
    at, _, _, event = stamp(entry)
    return {"at": at, "event": event}


def since_of(named: BasketValue, orders: Iterable[PurchaseEntry]) -> EventMark:
    """Return the event that set the named lines, as the orders' times show it."""
    since, refills = named["since"], named.get("refills")
    if refills:
        times = dict(map(ORDER_TIME, orders))
        for order, after, at, event in map(REFILL_FIELDS, refills):
            # An order that was forgotten counts as new, as one that is reported again does then.
            if order not in times or times[order] > min(after, since["at"]):
                since = {"at": at, "event": event}
    return since


def items_of(named: BasketValue) -> list[BasketLine]:
    return named["value"]["items"]


def has_any(named: BasketValue) -> bool:
    """Return whether a line is named that isn't a removed one."""
    return bool(_by_item(items_of(named)))


def has_lines(basket: FoldedBasket, named: BasketValue) -> bool:
    """Return whether the basket has the named items in their quantities."""
    quantities = {name: line.quantity for name, line in _by_item(items_of(named)).items()}
    return quantities == {name: line.quantity for name, line in basket.lines.items()}


def _last_whole(
    whole: BasketValue | None, orders: Sequence[PurchaseEntry]
) -> tuple[FoldedBasket, Stamp | None]:
    """Return the last whole basket, as an event named it or an order emptied it, with its stamp."""
    order = orders[0] if orders else None  # they are sorted, newest first
    begin = None if whole is None else stamp(whole)
    if order is not None and (begin is None or stamp(order) > begin):
        at, currency = EMPTIED_FIELDS(order)
        return FoldedBasket({}, None, currency, at, mark_of(order)), stamp(order)
    if whole is None:
        return FoldedBasket({}), None
    state, at = WHOLE_FIELDS(whole)
    since = since_of(whole, orders)
    if order is not None and order["at"] > since["at"]:
        # The browser went on naming its lines after the order: they are not from before it.
        since = mark_of(order)
    items, total, currency = STATE_FIELDS(state)
    return FoldedBasket(_by_item(items), total, currency, at, since), begin


def _changes_between(
    changes: Iterable[BasketChange], begin: Stamp | None, until: Stamp | None
) -> Sequence[BasketChange]:
    """Return the changes between two stamps, oldest first; `changes` are sorted, newest first."""
    found: list[BasketChange] = []
    for change in changes:
        at = stamp(change)
        if begin is not None and at <= begin:
            break
        if until is None or at < until:
            found.append(change)
    found.reverse()
    return found


def _by_item(items: Iterable[BasketLine]) -> dict[str, _Line]:
    """Add up the lines of each item."""
    lines: dict[str, _Line] = {}
    for item in items:
        name, quantity, price = item["item"], item["quantity"], item.get("price")
        if quantity <= 0:  # removed, but still listed by the page
            continue
        line = lines.setdefault(name, _Line(name, price))
        before = line.price
        if before is not None and price is not None:
            line.rest += line.quantity * (before - price)
        line.quantity += quantity
        line.price = None if line.quantity > quantity and before is None else price
    return lines


def _apply(lines: dict[str, _Line], change: BasketChange) -> bool:
    """Apply a change; return whether the item has another quantity now."""
    item, adds, quantity, price = CHANGE_FIELDS(change)
    line = lines.pop(item, None) or _Line(item)  # changed last, listed last
    before = line.quantity
    if not adds and quantity is None:
        return before > 0
    line.quantity += (1 if quantity is None else quantity) * (1 if adds else -1)
    if price is not None:
        line.price, line.rest = price, 0
    if line.quantity > 0:
        lines[item] = line
    return max(line.quantity, 0) != before


def _basket_line(line: _Line) -> BasketLine:
    return {"item": line.item, "quantity": line.quantity, "price": line.price}


def _total(lines: Collection[_Line]) -> float | None:
    """Return the sum of the lines, None if a price is unknown."""
    amounts = [line.quantity * line.price + line.rest for line in lines if line.price is not None]
    if len(amounts) < len(lines):
        return None
    total = round(sum(amounts), 4)
    # Amounts are at most 10^12 (normalise.py), so their sums fit 64 bits; a product of two doesn't.
    return total if total < MAX_EXACT_FLOAT else float(total)
