"""Dates of baskets: the event that set the lines that a page names, in the browser's own order. Pure.

An order of the browser empties its basket, so the next event that fills it dates its lines anew. Whether
the order is so late only the fold knows: another browser may have reported it before. Hence such events
are kept as refills, beside the date that the lines have without these orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from ingest_service.projector.basket import (
    FoldedBasket,
    fold_lines,
    has_any,
    has_lines,
    items_of,
    since_of,
)
from ingest_service.projector.lww import Stamp, stamp
from shared.documents.merge import EventMark
from shared.documents.visitor import (
    BasketChange,
    BasketDate,
    BasketRefill,
    BasketValue,
    Contribution,
    PurchaseEntry,
)

SINCE, AT = itemgetter("since"), itemgetter("at")
MAX_REFILLS = 20  # of one basket: orders in turn with the same lines


def carry_since(before: Contribution, named: BasketValue) -> BasketValue:
    """Return a whole basket, named by an event, with the event that set its lines.

    That is an earlier one where the browser's basket had these lines `before`.
    """
    known = before.get("basket")
    if known is None or not named.get("first"):
        return named
    changes, orders = before.get("basketChanges", []), before.get("purchases", [])
    if orders and AT(orders[0]) > AT(since_of(known, orders)):
        past = [change for change in changes if stamp(change) < stamp(named)]
        date = _find_date(known, past, orders, named)
    elif items_of(known) == items_of(named) and (not changes or stamp(changes[0]) < stamp(known)):
        return _with_date(named, known)  # most pages
    else:
        date = _date_without_orders(known, changes, named)
    return _with_date(named, date or {"since": SINCE(named)})


def date_by_changes(part: Contribution, named: BasketValue) -> BasketValue:
    """Return a basket that was named first, with the change that set its lines where all came so.

    Only for folding: an earlier epoch may yet show that it was another basket that was changed.
    """
    changes, named_at = part.get("basketChanges"), AT(SINCE(named))
    if not changes or not named.get("first"):
        return named
    past = [change for change in changes if AT(change) <= named_at]
    date = _find_date(None, past, part.get("purchases", []), named)
    return named if date is None else _with_date(named, date)


def _with_date(named: BasketValue, date: BasketDate) -> BasketValue:
    dated: BasketValue = {**named, "since": date["since"]}
    if "first" not in date:
        dated.pop("first", None)
    if "refills" in date or "refills" in named:
        refills = [*date.get("refills", ()), *named.get("refills", ())]
        dated["refills"] = refills[-MAX_REFILLS:]
    return dated


def _find_date(
    known: BasketValue | None,
    changes: list[BasketChange],
    orders: Sequence[PurchaseEntry],
    named: BasketValue,
) -> BasketDate | None:
    """Return the date of the named lines, None if the browser's basket had others before.

    It had what was `known`, with the changes after it.
    """
    date = _date_without_orders(known, changes, named)
    since = since_of(known, orders) if known is not None else None
    between = [order for order in orders if _is_between(order, since, named)]
    if not between or not has_any(named):
        return date
    base = date or {"since": SINCE(named)}
    filled = _filled_behind(between[0], known, changes, named)
    if filled == SINCE(base):
        return date
    refills: list[BasketRefill] = [*base.get("refills", ())]
    for order in reversed(between):
        emptied = _fold_before(known, changes, stamp(order))
        mark = since if since is not None and not emptied.is_changed else emptied.since
        if emptied.lines and mark is not None:
            refills.append({**filled, "order": order["id"], "after": AT(mark)})
    return {**base, "refills": refills}


def _date_without_orders(
    known: BasketValue | None, changes: list[BasketChange], named: BasketValue
) -> BasketDate | None:
    basket = _fold_before(known, changes, stamp(named))
    if basket.since is None or not has_lines(basket, named):
        return None
    if known is not None and not basket.is_changed:
        return known
    return {"since": basket.since}


def _is_between(order: PurchaseEntry, since: EventMark | None, named: BasketValue) -> bool:
    """Return whether the order is later than the known lines' date, and earlier than the named's."""
    at = AT(order)
    is_before = at <= AT(SINCE(named)) and stamp(order) < stamp(named)
    return is_before and (since is None or at > AT(since))


def _filled_behind(
    order: PurchaseEntry,
    known: BasketValue | None,
    changes: Sequence[BasketChange],
    named: BasketValue,
) -> EventMark:
    """Return the event that set the named lines, if the order emptied the basket."""
    later = [change for change in changes if known is None or stamp(change) > stamp(known)]
    basket = fold_lines({"purchases": [order], "basketChanges": later})
    mark: EventMark = SINCE(named)
    return basket.since if basket.since is not None and has_lines(basket, named) else mark


def _fold_before(
    known: BasketValue | None, changes: list[BasketChange], until: Stamp | None = None
) -> FoldedBasket:
    part: Contribution = {"basketChanges": changes}
    if known is not None:
        part["basket"] = known
    return fold_lines(part, until)
