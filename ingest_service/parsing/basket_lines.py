"""Lines of baskets and orders, read in one pass, so that a bad line costs as much as a good one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from ingest_service.parsing.field_notes import FieldNotes, note_unknown
from ingest_service.parsing.normalise import MAX_ID, MOST, is_blank, to_amount
from shared.names import to_thing_id

MAX_BASKET_LINES = 200
BASKET_LINE_KEYS = frozenset({"item", "itemID", "quantity", "price"})
Line = dict[str, Any]


def lines_reader(field: str) -> Callable[[Any, ValidationInfo], list[Line]]:
    """Return a validator for the lines in `field`.

    They are Persoo's `{id: {quantity, price}}`, or a list of `{itemID | item, quantity, price}`.
    """

    def read(value: Any, info: ValidationInfo) -> list[Line]:
        notes = info.context if isinstance(info.context, FieldNotes) else FieldNotes()
        known = notes.lines.get(id(value))
        if known is None:
            known = notes.lines[id(value)] = _read(value, f"data.{field}", notes)
        return known

    return read


def _read(value: Any, field: str, notes: FieldNotes) -> list[Line]:
    """Read the lines; an empty value is an empty basket.

    Raises PydanticCustomError if it has entries, and none is a line.
    """
    if not isinstance(value, Mapping | list):
        raise PydanticCustomError("basket", "must be an object by item id, or a list of items")
    first = list(islice(value.items() if isinstance(value, Mapping) else value, MAX_BASKET_LINES))
    if isinstance(value, Mapping):
        first = [{**d, "item": item} if isinstance(d, Mapping) else d for item, d in first]
    if len(value) > MAX_BASKET_LINES:
        notes.leave_out(
            field, "too_many_lines", f"only the first {MAX_BASKET_LINES} lines are kept"
        )
    if first and isinstance(first[0], Mapping) and not BASKET_LINE_KEYS.issuperset(first[0]):
        # The first line is enough: the same code writes all.
        note_unknown(notes, first[0], BASKET_LINE_KEYS, f"{field}.0.")
    lines = [_read_line(raw, f"{field}.{index}", notes) for index, raw in enumerate(first)]
    kept = [line for line in lines if line is not None]
    if first and not kept:
        raise PydanticCustomError("basket", "has no line that names an item")
    return kept


def _read_line(raw: Any, field: str, notes: FieldNotes) -> Line | None:
    """Read one line; None where it names no item."""
    if not isinstance(raw, Mapping):
        notes.leave_out(field, "line", "must be an object")
        return None
    item = _read_item(raw["item"] if "item" in raw else raw.get("itemID"))
    if item is None:
        notes.leave_out(f"{field}.item", "line", f"must name an item in 1 to {MAX_ID} characters")
        return None
    quantity = _read_amount(raw, "quantity", field, notes)
    line: Line = {"item": item, "quantity": 1 if quantity is None else quantity}
    price = _read_amount(raw, "price", field, notes)
    if price is not None:
        line["price"] = price
    return line


def _read_item(value: Any) -> str | None:
    if value is None:
        return None
    try:
        item = to_thing_id(value)
    except PydanticCustomError:
        return None
    return item if 0 < len(item) <= MAX_ID else None


def _read_amount(raw: Mapping[Any, Any], name: str, field: str, notes: FieldNotes) -> Any:
    """Read a number; None where it is absent, or bad and therefore left out."""
    value = raw.get(name)
    if value is None or is_blank(value):
        return None
    try:
        amount = value if type(value) is int else to_amount(value)
    except (PydanticCustomError, OverflowError):
        amount = -1
    if 0 <= amount <= MOST:
        return amount
    notes.leave_out(f"{field}.{name}", "amount", f"must be a number from 0 to {MOST:g}")
    return None
