"""Baskets, folded from the last whole state and the changes since. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ingest_service.projector.lww import stamp
from shared.documents.profile import Basket, BasketLine
from shared.documents.visitor import BasketChange, BasketState, BasketValue
from shared.names import MAX_EXACT_FLOAT

_EMPTY: BasketState = {"items": [], "total": None, "currency": None}


@dataclass(slots=True)
class _Line:
    """The lines of one item (sizes of one shoe); `rest` is the sum of their price differences."""

    item: str
    price: float | None = None
    quantity: float = 0
    rest: float = 0


def fold_basket(whole: BasketValue | None, changes: Iterable[BasketChange]) -> Basket:
    """Fold a basket from its last whole state and its changes."""
    since = sorted((c for c in changes if whole is None or stamp(c) > stamp(whole)), key=stamp)
    state = _EMPTY if whole is None else whole["value"]
    lines, total, currency = _by_item(state["items"]), state["total"], state["currency"]
    for change in since:
        _apply(lines, change)
        currency = change["currency"] or currency
    last = since[-1] if since else whole
    return {
        "items": [_basket_line(line) for line in lines.values()],
        "total": _total(lines.values()) if since or total is None else total,
        "currency": currency,
        "at": None if last is None else last["at"],
    }


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


def _apply(lines: dict[str, _Line], change: BasketChange) -> None:
    item, adds, quantity, price = (
        change["item"], change["adds"], change["quantity"], change["price"],
    )  # fmt: skip
    line = lines.pop(item, None) or _Line(item)  # changed last, listed last
    if not adds and quantity is None:
        return
    line.quantity += (1 if quantity is None else quantity) * (1 if adds else -1)
    if price is not None:
        line.price, line.rest = price, 0
    if line.quantity > 0:
        lines[item] = line


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
