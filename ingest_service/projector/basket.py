"""Baskets, folded from the last whole state and the changes since. Pure."""

from __future__ import annotations

from typing import Any

from ingest_service.projector.lww import Document, latest, stamp
from shared.documents.profile import Basket, BasketLine
from shared.names import MAX_EXACT_FLOAT

# Amounts are at most 10^12 (normalise.py), so their sums fit 64 bits; a product of two doesn't.


def fold_basket(whole: Document | None, changes: list[Document]) -> Basket:
    """Return `{"items": [{"item", "quantity", "price"}], "total", "currency", "at"}`."""
    since = [c for c in changes if whole is None or stamp(c) > stamp(whole)]
    state = whole["value"] if whole is not None else {"items": [], "total": None, "currency": None}
    lines = _by_item(state["items"])
    for change in sorted(since, key=stamp):
        _apply(lines, change)
    last = latest([whole, *since])
    currencies = [c["currency"] for c in sorted(since, key=stamp) if c.get("currency")]
    return {
        "items": [_line(line) for line in lines.values()],
        "total": _total(lines) if since or state["total"] is None else state["total"],
        "currency": (currencies or [state["currency"]])[-1],
        "at": last["at"] if last is not None else None,
    }


def _by_item(items: list[Document]) -> dict[str, Document]:
    """Add up the lines of each item (sizes of one shoe); `rest` is the sum of price differences."""
    lines: dict[str, Document] = {}
    for item in items:
        if item["quantity"] <= 0:  # removed, but still listed by the page
            continue
        line = lines.setdefault(item["item"], {**item, "quantity": 0, "rest": 0})
        before, price = line.get("price"), item.get("price")
        if before is not None and price is not None:
            line["rest"] += line["quantity"] * (before - price)
        line["quantity"] += item["quantity"]
        line["price"] = None if line["quantity"] > item["quantity"] and before is None else price
    return lines


def _apply(lines: dict[str, Document], change: Document) -> None:
    item, quantity = change["item"], change.get("quantity")
    line = lines.pop(
        item, {"item": item, "quantity": 0, "price": None}
    )  # changed last, listed last
    if not change["adds"] and quantity is None:
        return
    line["quantity"] += (quantity if quantity is not None else 1) * (1 if change["adds"] else -1)
    if change.get("price") is not None:
        line["price"], line["rest"] = change["price"], 0
    if line["quantity"] > 0:
        lines[item] = line


def _line(line: Document) -> BasketLine:
    return {"item": line["item"], "quantity": line["quantity"], "price": line.get("price")}


def _total(lines: dict[str, Document]) -> Any:
    """Return the sum of the lines, None if a price is unknown."""
    if any(line.get("price") is None for line in lines.values()):
        return None
    amounts = (line["quantity"] * line["price"] + line.get("rest", 0) for line in lines.values())
    total = round(sum(amounts), 4)
    return total if total < MAX_EXACT_FLOAT else float(total)
