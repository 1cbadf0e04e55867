"""Facts about persons that follow from events, for the records of `carillon.moments`. Pure.

A fact follows from an event and from its epoch as the batch left it, never from what the batch changed.
So a batch that is delivered again, since it was cut off between two writes, has the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from ingest_service.projector.basket import FoldedBasket, as_basket, fold_lines
from ingest_service.projector.browser import Browser
from ingest_service.projector.contribution import category_of, join_epochs
from ingest_service.projector.lww import is_of
from ingest_service.projector.player import SUBSCRIBED_PLAYER, LedgerEntry
from ingest_service.projector.visitor import Epoch
from shared.documents.profile import BasketLine
from shared.events.payloads import (
    IdentifyPayload,
    LinePayload,
    PageviewPayload,
    PurchasePayload,
    StatusPayload,
    TransactionPayload,
)
from shared.events.registry import (
    ADD_TO_BASKET,
    IDENTIFY,
    ONESIGNAL,
    PAGEVIEW,
    PURCHASE,
    REMOVE_FROM_BASKET,
    is_custom,
    payload_of,
)
from shared.models.event import Event
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    CustomEvent,
    Fact,
    FactLine,
    Identified,
    Joined,
    Separated,
    Subscribed,
    Viewed,
)

OF_NO_VISIT = frozenset(
    {"import", "ops"}
)  # sources: of their events only merges and erasures are facts
LINE_FIELDS = itemgetter("item", "quantity")
BASKET_FIELDS = itemgetter("items", "total", "currency")

Players = Mapping[str, LedgerEntry]


@dataclass(slots=True)
class Surroundings:
    """State of an event's browser, and of the batch's players, after the batch."""

    browser: Browser
    players: Players
    _baskets: dict[str, FoldedBasket] = field(default_factory=dict)

    def basket_of(self, person: str) -> FoldedBasket:
        """Return the person's basket in this browser, over all her epochs."""
        known = self._baskets.get(person)
        if known is None:
            parts = (epoch.contribution for epoch in self.browser.epochs_of(person))
            known = self._baskets[person] = fold_lines(join_epochs(parts))
        return known


def facts_of(event: Event, epoch: Epoch, around: Surroundings) -> Iterable[Fact]:
    """Return an event's facts about the person of its epoch."""
    rule = _RULES.get(event.type)
    if rule is not None:
        return rule(event, epoch, around)
    if is_custom(event.type):
        return [CustomEvent(event.id, event.occurred_at, event.type, event.data)]
    return ()


def merges_of(event: Event, browser: Browser) -> Iterator[tuple[str, Fact]]:
    """Yield the merges that an event made or undid, each with the person whose epoch it is now."""
    at = event.occurred_at
    for epoch in browser.visitor.epochs:
        merged, person = epoch.identified_at, epoch.anonymous_id
        if merged is not None and is_of(merged, event) and person is not None:
            yield browser.person_of(epoch), Joined(event.id, at, person)
        for unmerge in epoch.unmerged:
            if is_of(unmerge.undone, event):
                yield browser.person_of(epoch), Separated(event.id, at, unmerge.person)


def _pageview(event: Event, epoch: Epoch, around: Surroundings) -> Iterator[Fact]:
    page, at = payload_of(event, PageviewPayload), event.occurred_at
    item, category = page.get("itemID"), category_of(page)
    if item:
        yield Viewed(event.id, at, item, category)
    if category:
        yield CategorySeen(event.id, at, category)
    order, lines = page.get("transaction"), page.get("basketItems")
    if order:
        yield _bought(event, order, lines or [], page.get("currency"))
    if order or (lines is not None and _may_have_set_basket(event, epoch)):
        yield from _basket(event, epoch, around)


def _purchase(event: Event, epoch: Epoch, around: Surroundings) -> Iterator[Fact]:
    order = payload_of(event, PurchasePayload)
    yield _bought(event, order, order.get("items", []), order.get("currency"))
    yield from _basket(event, epoch, around)


def _bought(
    event: Event,
    order: TransactionPayload | PurchasePayload,
    items: Iterable[LinePayload],
    currency: str | None,
) -> Bought:
    lines, number = _lines(items), order.get("id") or event.id
    return Bought(
        event.id, event.occurred_at, number, lines, event.source, order.get("revenue"), currency
    )


def _may_have_set_basket(event: Event, epoch: Epoch) -> bool:
    """Check without a fold: most pages name the lines that another event set."""
    named = epoch.contribution.get("basket")
    if named is None:
        return False
    return is_of(named["since"], event) or any(is_of(r, event) for r in named.get("refills", ()))


def _basket(event: Event, epoch: Epoch, around: Surroundings) -> Iterator[Fact]:
    """Yield the basket, where the event is the one that set its lines."""
    basket = around.basket_of(around.browser.person_of(epoch))
    since = basket.since
    if since is not None and is_of(since, event):
        items, total, currency = BASKET_FIELDS(as_basket(basket))
        yield BasketChanged(event.id, since["at"], _lines(items), total, currency)


def _lines(items: Iterable[LinePayload] | Iterable[BasketLine]) -> list[FactLine]:
    return [_line(one) for one in items]


def _line(line: LinePayload | BasketLine) -> FactLine:
    item, quantity = LINE_FIELDS(line)
    return FactLine(item, quantity, line.get("price"))


def _identify(event: Event, epoch: Epoch, _around: Surroundings) -> Iterator[Fact]:
    has_login = bool(payload_of(event, IdentifyPayload).get("login"))
    if has_login and epoch.opened_by == event.id:
        yield Identified(event.id, event.occurred_at)


def _subscribe(event: Event, _epoch: Epoch, around: Surroundings) -> Iterator[Fact]:
    """Yield a subscription where the player was unknown before, or had another state."""
    # The ledger has the changes of all browsers that claimed it, and of imports: a browser whose cookies
    # were cleared, or an imported player, isn't new.
    entry = around.players.get(payload_of(event, StatusPayload)["playerID"])
    if entry is None or entry.app != event.app:
        return
    before = ""
    for change in entry.history:
        if change.event == event.id and change.state == SUBSCRIBED_PLAYER != before:
            yield Subscribed(event.id, event.occurred_at)
        before = change.state


_RULES: dict[str, Callable[[Event, Epoch, Surroundings], Iterator[Fact]]] = {
    PAGEVIEW: _pageview,
    ADD_TO_BASKET: _basket,
    REMOVE_FROM_BASKET: _basket,
    PURCHASE: _purchase,
    IDENTIFY: _identify,
    ONESIGNAL: _subscribe,
}
