"""Contributions of one browser's epoch to its person's profile. Pure, order-independent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ingest_service.projector.lww import Document, latest, latest_per_key, stamp, stamped
from ingest_service.projector.proof import is_proof
from shared.locales import known_language, known_time_zone
from shared.models.event import IMPORT, Event

REGISTERS = ("email", "timeZone", "language", "browser", "basket", "tags")
LIMITS = {"viewed": ("item", 50), "categories": ("id", 50), "purchases": ("id", 50),
          "basketChanges": ("event", 100)}  # fmt: skip
MAX_ORDER_LINES = 1_000  # of all orders together, per epoch and per person: clients send any number
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_CONTEXT: dict[str, Callable[[Any], str | None]] = {
    "timeZone": known_time_zone,
    "language": known_language,
    "browser": str,
}


def contribute(part: Document, event: Event) -> None:
    """Add an event to a contribution."""
    began = LONG_AGO if event.data.get("undated") else event.occurred_at
    part["firstSeenAt"] = min(part.get("firstSeenAt", began), began)
    part["lastSeenAt"] = max(part.get("lastSeenAt", event.occurred_at), event.occurred_at)
    for name, value in (event.context or {}).items():
        known = (
            _CONTEXT[name](value) if name in _CONTEXT and isinstance(value, str) and value else None
        )
        if known:  # an invalid value replaces no valid one
            _register(part, event, name, known)
    rule = _RULES.get(event.type)
    if rule is not None:
        rule(part, event)


def union(parts: Iterable[Document]) -> Document:
    """Merge several contributions into one."""
    parts = list(parts)
    whole: Document = {}
    seen = [part["lastSeenAt"] for part in parts if "lastSeenAt" in part]
    if seen:
        whole["lastSeenAt"] = max(seen)
        whole["firstSeenAt"] = min(p.get("firstSeenAt", LONG_AGO) for p in parts if p)
    for name in REGISTERS:
        winner = _register_of(name)(part.get(name) for part in parts)
        if winner is not None:
            whole[name] = winner
    for name, (by, limit) in LIMITS.items():
        entries = latest_per_key(
            (e for part in parts for e in part.get(name, ())), by=by, limit=limit
        )
        if entries:
            whole[name] = entries
    if "purchases" in whole:
        whole["purchases"] = _newest_lines(whole["purchases"])
    return whole


def _register(part: Document, event: Event, name: str, value: Any) -> None:
    part[name] = latest([part.get(name), stamped(event, value=value)])


def _add(part: Document, event: Event, name: str, **fields: Any) -> None:
    by, limit = LIMITS[name]
    part[name] = latest_per_key([*part.get(name, ()), stamped(event, **fields)], by=by, limit=limit)


def _pageview(part: Document, event: Event) -> None:
    data = event.data
    # A page that doesn't name its category is in the last one on the way from the root.
    category = data.get("categoryID") or (data.get("hierarchyID") or [None])[-1]
    if data.get("itemID"):
        _add(part, event, "viewed", item=data["itemID"], category=category)
    if category:
        _add(part, event, "categories", id=category)
    order = data.get("transaction")
    if order:
        bought = {**order, "items": data.get("basketItems", []), "currency": data.get("currency")}
        _bought(part, event, bought)
    elif "basketItems" in data:
        total, currency = data.get("basketTotal"), data.get("currency")
        _basket(part, event, data["basketItems"], total, currency)


def _basket(part: Document, event: Event, items: Any, total: Any, currency: Any) -> None:
    """Register the whole basket, which replaces the earlier changes."""
    _register(part, event, "basket", {"items": items, "total": total, "currency": currency})


def _change(part: Document, event: Event) -> None:
    """Add a change to a basket."""
    # Kept as itself: applying an event twice to a sum of changes would count it twice.
    data = event.data
    fields = {name: data.get(name) for name in ("quantity", "price", "currency")}
    _add(
        part,
        event,
        "basketChanges",
        item=data["itemID"],
        adds=event.type == "addToBasket",
        **fields,
    )


def _purchase(part: Document, event: Event) -> None:
    _bought(part, event, event.data)


def _bought(part: Document, event: Event, order: Document) -> None:
    _add(
        part,
        event,
        "purchases",
        id=order.get("id") or event.id,
        items=order.get("items", []),
        revenue=order.get("revenue"),
    )
    part["purchases"] = _newest_lines(part["purchases"])
    _basket(part, event, [], None, order.get("currency"))


def _newest_lines(orders: list[Document]) -> list[Document]:
    """Keep the last order, and earlier ones while all lines together are within the bound."""
    lines = 0
    for count, order in enumerate(orders):
        lines += len(order["items"])
        if count and lines > MAX_ORDER_LINES:
            return orders[:count]
    return orders


def _identify(part: Document, event: Event) -> None:
    email = event.data.get("email")
    if email:
        entry = stamped(event, value=email, proven=is_proof(event))
        part["email"] = _best_proven([part.get("email"), entry])


def _best_proven(entries: Iterable[Document | None]) -> Document | None:
    """Return the newest proven entry, else the newest; an unproven one never replaces a proven one."""
    known = (e for e in entries if e is not None)
    return max(known, key=lambda e: (bool(e.get("proven")), *stamp(e)), default=None)


def _register_of(name: str) -> Callable[[Iterable[Document | None]], Document | None]:
    return _best_proven if name == "email" else latest


def _imported(part: Document, event: Event) -> None:
    if event.data.get("tags"):
        _register(part, event, "tags", event.data["tags"])


_RULES: dict[str, Callable[[Document, Event], None]] = {
    "pageview": _pageview,
    "addToBasket": _change,
    "removeFromBasket": _change,
    "purchase": _purchase,
    "identify": _identify,
    IMPORT: _imported,
}
