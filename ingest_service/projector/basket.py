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

WHOLE_FIELDS = itemgetter("value", "since", "at")
STATE_FIELDS = itemgetter("items", "total", "currency")
EMPTIED_FIELDS = itemgetter("at", "currency")
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

    `at` is its last event's time. `is_first`: what the basket held before `since` isn't known.
    """

    lines: dict[str, _Line]
    total: float | None = None
    currency: str | None = None
    at: datetime | None = None
    since: EventMark | None = None
    is_first: bool = False


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
    order = next(iter(part.get("purchases", ())), None)  # they are sorted, newest first
    basket, begin = _last_whole(part.get("basket"), order)
    changes = _changes_between(part.get("basketChanges", ()), begin, until)
    for change in changes:
        if _apply(basket.lines, change):
            basket.since, basket.is_first = mark_of(change), False
        basket.currency = change["currency"] or basket.currency
        basket.at = change["at"]
    if changes or basket.total is None:  # a page's own total counts until a change
        basket.total = _total(basket.lines.values())
    return basket


def carry_since(before: Contribution, named: BasketValue) -> BasketValue:
    """Return a whole basket, named by an event, with the event that set its lines.

    That is an earlier one where the browser's basket had these lines `before`.
    """
    known = before.get("basket")
    if known is None or not named.get("first"):
        return named
    since, is_first = _lines_set_by(before, known, named)
    carried: BasketValue = {**named, "since": since}
    if not is_first:
        del carried["first"]
    return carried


def date_by_changes(part: Contribution, named: BasketValue) -> BasketValue:
    """Return a basket that was named first, with the change that set its lines where all came so.

    Only for folding: an earlier epoch may yet show that it was another basket that was changed.
    """
    changes, named_at = part.get("basketChanges"), named["since"]["at"]
    if not changes or not named.get("first"):
        return named
    basket = fold_lines({"basketChanges": [c for c in changes if c["at"] <= named_at]})
    if basket.since is None or not _has_lines(basket, named):
        return named
    return {**named, "since": basket.since}


def mark_of(entry: StampFields) -> EventMark:
    """Return the time and id of the entry's event."""
    at, _, _, event = stamp(entry)
    return {"at": at, "event": event}


def _lines_set_by(
    before: Contribution, known: BasketValue, named: BasketValue
) -> tuple[EventMark, bool]:
    """Return the event that set the named lines, and whether what was before it isn't known."""
    # Orders are left out: only the fold knows the earliest time of each, and which are reported again.
    changes, is_first = before.get("basketChanges", []), known.get("first", False)
    is_last = not changes or stamp(changes[0]) < stamp(known)
    if is_last and _items_of(known) == _items_of(named):  # most pages
        return known["since"], is_first
    basket = fold_lines({"basket": known, "basketChanges": changes}, until=stamp(named))
    if basket.since is not None and _has_lines(basket, named):
        return basket.since, basket.is_first
    return named["since"], False


def _items_of(named: BasketValue) -> list[BasketLine]:
    return named["value"]["items"]


def _has_lines(basket: FoldedBasket, named: BasketValue) -> bool:
    quantities = {name: line.quantity for name, line in _by_item(_items_of(named)).items()}
    return quantities == {name: line.quantity for name, line in basket.lines.items()}


def _last_whole(
    whole: BasketValue | None, order: PurchaseEntry | None
) -> tuple[FoldedBasket, Stamp | None]:
    """Return the last whole basket, as an event named it or an order emptied it, with its stamp."""
    begin = None if whole is None else stamp(whole)
    if order is not None and (begin is None or stamp(order) > begin):
        at, currency = EMPTIED_FIELDS(order)
        return FoldedBasket({}, None, currency, at, mark_of(order)), stamp(order)
    if whole is None:
        return FoldedBasket({}), None
    state, since, at = WHOLE_FIELDS(whole)
    is_first = whole.get("first", False)
    if order is not None and order["at"] > since["at"]:
        # The browser went on naming its lines after the order: they are not from before it.
        since, is_first = mark_of(order), False
    items, total, currency = STATE_FIELDS(state)
    return FoldedBasket(_by_item(items), total, currency, at, since, is_first), begin


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
