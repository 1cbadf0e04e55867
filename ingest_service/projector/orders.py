"""Orders of a contribution. Pure.

An order has the time of its earliest event and the values of its latest one. Pages and servers report
one order under two visitor ids, and a thank-you page may be opened again.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from ingest_service.projector.lww import Stamp, stamp, stamped
from shared.documents.player import StampFields
from shared.documents.visitor import PurchaseEntry
from shared.events.payloads import LinePayload, PurchasePayload, TransactionPayload
from shared.models.event import Event

VALUE_FIELDS = itemgetter("id", "items", "revenue", "currency", "last")
MAX_ORDERS = 50  # per epoch and per person
MAX_ORDER_LINES = 1_000  # of all orders together, per epoch and per person: clients send any number


def order_of(
    event: Event,
    order: TransactionPayload | PurchasePayload,
    lines: list[LinePayload],
    currency: str | None,
) -> PurchaseEntry:
    """Return the order that an event reports; without an id it has the event's."""
    return {
        "id": order.get("id") or event.id,
        "items": lines,
        "revenue": order.get("revenue"),
        "currency": currency,
        "last": None,
        **stamped(event),
    }


def earliest_order(one: PurchaseEntry, other: PurchaseEntry) -> PurchaseEntry:
    """Join two entries of one order: the earlier stamp, the values of the later event."""
    first = min(one, other, key=stamp)
    values = max(one, other, key=_values_stamp)
    if values is first:
        return first
    order, items, revenue, currency, last = VALUE_FIELDS(values)
    return {
        "id": order,
        "items": items,
        "revenue": revenue,
        "currency": currency,
        **_stamp_fields(first),
        "last": last or _stamp_fields(values),
    }


def newest_orders(entries: Iterable[PurchaseEntry]) -> list[PurchaseEntry]:
    """Join the entries by order, and keep the newest orders within the bounds, newest first.

    The last order is always kept, and earlier ones while all lines together are within the bound.
    """
    # The time of an order may become earlier, so an order that was dropped might have come back. Hence
    # whoever joins several lists does it in one order of browsers (profile_inputs.py).
    orders: dict[str, PurchaseEntry] = {}
    for entry in entries:
        known = orders.get(entry["id"])
        orders[entry["id"]] = entry if known is None else earliest_order(known, entry)
    newest = sorted(orders.values(), key=stamp, reverse=True)[:MAX_ORDERS]
    lines = 0
    for count, order in enumerate(newest):
        lines += len(order["items"])
        if count and lines > MAX_ORDER_LINES:
            return newest[:count]
    return newest


def _values_stamp(entry: PurchaseEntry) -> Stamp:
    """Return the stamp of the event whose values the entry has."""
    return stamp(entry["last"] or entry)


def _stamp_fields(entry: StampFields) -> StampFields:
    at, received, offset, event = stamp(entry)
    return {"at": at, "event": event, "received": received, "offset": offset}
