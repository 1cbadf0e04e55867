"""Contributions of one browser's epoch to its person's profile. Pure, order-independent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Literal

from ingest_service.projector.basket_dates import carry_since, date_by_changes
from ingest_service.projector.lww import (
    Stamp,
    add_entry,
    later,
    latest,
    latest_per_key,
    stamp,
    stamp_of,
    stamped,
)
from ingest_service.projector.operator_events import is_undated
from ingest_service.projector.orders import newest_orders, order_of
from ingest_service.projector.proof import is_proof
from shared.documents.visitor import (
    BasketChange,
    BasketState,
    BasketValue,
    CategoryEntry,
    Contribution,
    EmailValue,
    PurchaseEntry,
    TagsValue,
    TextValue,
    ViewedEntry,
)
from shared.events.payloads import (
    BasketChangePayload,
    IdentifyPayload,
    ImportPayload,
    PageviewPayload,
    PurchasePayload,
)
from shared.events.registry import (
    ADD_TO_BASKET,
    IDENTIFY,
    IMPORT,
    PAGEVIEW,
    PURCHASE,
    REMOVE_FROM_BASKET,
    payload_of,
)
from shared.locales import known_language, known_time_zone
from shared.models.event import Event

MAX_ENTRIES = 50  # of each bounded set
MAX_BASKET_CHANGES = 100
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_BY_ID, _BY_ITEM, _BY_EVENT = itemgetter("id"), itemgetter("item"), itemgetter("event")
_CONTEXT: dict[Literal["timeZone", "language", "browser"], Callable[[str], str | None]] = {
    "timeZone": known_time_zone,
    "language": known_language,
    "browser": str,
}


def contribute(part: Contribution, event: Event) -> None:
    """Add an event to a contribution."""
    began = LONG_AGO if is_undated(event) else event.occurred_at
    part["firstSeenAt"] = min(part.get("firstSeenAt", began), began)
    part["lastSeenAt"] = max(part.get("lastSeenAt", event.occurred_at), event.occurred_at)
    if event.context:
        _add_context(part, event, event.context)
    rule = _RULES.get(event.type)
    if rule is not None:
        rule(part, event)


def join_epochs(parts: Iterable[Contribution]) -> Contribution:
    """Merge the contributions of one browser's epochs, in their order, into one.

    A basket that a later epoch names first, with the lines that it had before, keeps their date.
    """
    parts = [part for part in parts if part]
    whole = union(parts)
    last = whole.get("basket")
    is_one = len(parts) == 1 and not (last and last.get("first") and "basketChanges" in whole)
    if last is None or is_one:
        return whole
    known = whole.copy()
    del known["basket"]
    for part in parts:
        named = part.get("basket")
        if named is not None:
            last = known["basket"] = later(known.get("basket"), carry_since(known, named))
    known["basket"] = date_by_changes(known, last)
    return known


def union(parts: Iterable[Contribution]) -> Contribution:
    """Merge several browsers' contributions into one. It may be one of them, so don't change it."""
    parts = [part for part in parts if part]
    if len(parts) == 1:
        return parts[0]
    whole: Contribution = {}
    if parts:
        whole["lastSeenAt"] = max(part["lastSeenAt"] for part in parts)
        whole["firstSeenAt"] = min(part["firstSeenAt"] for part in parts)
        _unite_texts(whole, parts)
        _unite_values(whole, parts)
        _unite_views(whole, parts)
        _unite_orders(whole, parts)
    return whole


def _unite_texts(whole: Contribution, parts: Sequence[Contribution]) -> None:
    for name in _CONTEXT:
        text = latest(part.get(name) for part in parts)
        if text is not None:
            whole[name] = text


def _unite_values(whole: Contribution, parts: Sequence[Contribution]) -> None:
    emails = [part["email"] for part in parts if "email" in part]
    if emails:
        whole["email"] = max(emails, key=_email_rank)
    basket = latest(part.get("basket") for part in parts)
    if basket is not None:
        whole["basket"] = basket
    tags = latest(part.get("tags") for part in parts)
    if tags is not None:
        whole["tags"] = tags


def _unite_views(whole: Contribution, parts: Sequence[Contribution]) -> None:
    viewed = [entry for part in parts for entry in part.get("viewed", ())]
    if viewed:
        whole["viewed"] = latest_per_key(viewed, _BY_ITEM, MAX_ENTRIES)
    categories = [entry for part in parts for entry in part.get("categories", ())]
    if categories:
        whole["categories"] = latest_per_key(categories, _BY_ID, MAX_ENTRIES)


def _unite_orders(whole: Contribution, parts: Sequence[Contribution]) -> None:
    changes = [entry for part in parts for entry in part.get("basketChanges", ())]
    if changes:
        whole["basketChanges"] = latest_per_key(changes, _BY_EVENT, MAX_BASKET_CHANGES)
    orders = [entry for part in parts for entry in part.get("purchases", ())]
    if orders:
        whole["purchases"] = newest_orders(orders)


def _add_context(part: Contribution, event: Event, context: Mapping[str, Any]) -> None:
    for name, read in _CONTEXT.items():
        value = context.get(name)
        known = read(value) if isinstance(value, str) and value else None
        if known:  # an invalid value replaces no valid one
            text: TextValue = {"value": known, **stamped(event)}
            part[name] = later(part.get(name), text)


def _pageview(part: Contribution, event: Event) -> None:
    payload = payload_of(event, PageviewPayload)
    category = category_of(payload)
    item, order = payload.get("itemID"), payload.get("transaction")
    if item:
        view: ViewedEntry = {"item": item, "category": category, **stamped(event)}
        part["viewed"] = add_entry(part.get("viewed", ()), view, _BY_ITEM, MAX_ENTRIES)
    if category:
        visit: CategoryEntry = {"id": category, **stamped(event)}
        known = part.get("categories", ())
        part["categories"] = add_entry(known, visit, _BY_ID, MAX_ENTRIES)
    lines, currency = payload.get("basketItems"), payload.get("currency")
    if order:  # its lines are the order's, not a basket's
        _buy(part, order_of(event, order, lines or [], currency))
    elif lines is not None:
        total = payload.get("basketTotal")
        _set_basket(part, event, {"items": lines, "total": total, "currency": currency})


def category_of(page: PageviewPayload) -> str | None:
    """Return the page's category; one that isn't named is the last on the way from the root."""
    path = page.get("hierarchyID")
    return page.get("categoryID") or (path[-1] if path else None)


def _set_basket(part: Contribution, event: Event, state: BasketState) -> None:
    """Register the whole basket, which replaces the earlier changes."""
    known, at = part.get("basket"), event.occurred_at
    if known is None or stamp_of(event) > stamp(known):
        named: BasketValue = {
            "value": state, "since": {"at": at, "event": event.id}, "first": True,
            "at": at, "event": event.id, "received": event.received_at, "offset": event.offset,
        }  # fmt: skip
        part["basket"] = carry_since(part, named)


def _change_basket(part: Contribution, event: Event) -> None:
    """Add a change to a basket."""
    # Kept as itself: applying an event twice to a sum of changes would count it twice.
    payload = payload_of(event, BasketChangePayload)
    change: BasketChange = {
        "item": payload["itemID"],
        "adds": event.type == ADD_TO_BASKET,
        "quantity": payload.get("quantity"),
        "price": payload.get("price"),
        "currency": payload.get("currency"),
        **stamped(event),
    }
    known = part.get("basketChanges", ())
    part["basketChanges"] = add_entry(known, change, _BY_EVENT, MAX_BASKET_CHANGES)


def _purchase(part: Contribution, event: Event) -> None:
    order = payload_of(event, PurchasePayload)
    _buy(part, order_of(event, order, order.get("items", []), order.get("currency")))


def _buy(part: Contribution, order: PurchaseEntry) -> None:
    """Add an order. It empties the basket where that is folded, as of the order's earliest time."""
    part["purchases"] = newest_orders([*part.get("purchases", ()), order])


def _identify(part: Contribution, event: Event) -> None:
    email = payload_of(event, IdentifyPayload).get("email")
    if email:
        value: EmailValue = {"value": email, **stamped(event), "proven": is_proof(event)}
        known = part.get("email")
        part["email"] = value if known is None else max(known, value, key=_email_rank)


def _email_rank(email: EmailValue) -> tuple[bool, Stamp]:
    """Rank proven emails first, then the newest; an unproven one never replaces a proven one."""
    return email["proven"], stamp(email)


def _imported(part: Contribution, event: Event) -> None:
    tags = payload_of(event, ImportPayload).tags
    if tags:
        value: TagsValue = {"value": tags, **stamped(event)}
        part["tags"] = later(part.get("tags"), value)


_RULES: dict[str, Callable[[Contribution, Event], None]] = {
    PAGEVIEW: _pageview,
    ADD_TO_BASKET: _change_basket,
    REMOVE_FROM_BASKET: _change_basket,
    PURCHASE: _purchase,
    IDENTIFY: _identify,
    IMPORT: _imported,
}
