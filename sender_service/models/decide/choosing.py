"""Choice of the items that a push is about, and the look at them before its release. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sender_service.models.decide.candidates import (
    Candidate,
    candidates_of,
    is_of_basket,
    is_of_order,
)
from sender_service.models.decide.case import Case, Found
from sender_service.models.decide.decision import Push, Skip
from sender_service.models.decide.exit_facts import ORDERED_WITHIN
from sender_service.models.decide.world import Product
from sender_service.models.scenario.run import ItemClaim
from sender_service.models.scenario.scenario import Choose
from shared.models.wire import to_iso

NOT_AGAIN_WITHIN = timedelta(days=7)  # an item that this scenario pushed


def choose_items(case: Case) -> Found:
    """Push the step about items that its choice finds; skip it where there must be one and is none."""
    choose: Choose | str | None = case.this_step.choose
    if choose is None:
        return Push((), {"entry": _entry_variables(case)}), "no choice"
    while isinstance(choose, Choose):
        found = _chosen(choose, case)
        if found:
            return _push(found, case), f"{len(found)} of {choose.source}"
        choose = choose.otherwise
    if choose == "without":
        return _push([], case), "none"
    return Skip(case.this_step.id, "nothing_to_offer"), "none"


def check_items(case: Case) -> Found:
    """Skip a push about an item that was bought, is sold out or has another price than it states."""
    step = case.this_step
    for claim in case.about:
        product = (case.world.products or {}).get(claim.item)
        if _was_bought(claim.item, case) and not _may_be_bought(step.choose, claim.item, case):
            return Skip(step.id, "bought_item"), claim.item
        if case.world.products is None:
            continue
        if product is None or case.world.is_stale(case.now):
            return Skip(step.id, "stale"), claim.item
        if not product.in_stock:
            return Skip(step.id, "out_of_stock"), claim.item
        if claim.price is not None and claim.price != product.price:
            return Skip(step.id, "price_changed"), claim.item
    return Push(case.about), f"{len(case.about)} items"


def _chosen(choose: Choose, case: Case) -> list[Candidate]:
    """Return as many candidates as are taken, in their order."""
    found: list[Candidate] = []
    groups: set[str] = set()
    for candidate in _offered(choose, case):
        product = (case.world.products or {}).get(candidate.item)
        group = candidate.item if product is None else product.group or candidate.item
        if group not in groups:
            groups.add(group)
            found.append(candidate)
        if len(found) == choose.take:
            break
    return found


def _offered(choose: Choose, case: Case) -> Iterator[Candidate]:
    """Yield the candidates, without those that are bought, in her basket, pushed or sold out."""
    basket = case.person.basket_items
    pushed = _pushed_items(case)
    for one in candidates_of(choose, case.person, case.entry, case.world):
        in_basket = one.item in basket and not is_of_basket(choose, case.rules.own)
        bought = not is_of_order(choose, case.rules.own) and _was_bought(one.item, case)
        if not (in_basket or bought or one.item in pushed) and _is_available(one.item, case):
            yield one


def _is_available(item: str, case: Case) -> bool:
    """Return whether the catalogue offers the item now; without one all are offered."""
    if case.world.products is None:
        return True
    product = case.world.products.get(item)
    return product is not None and product.in_stock and not case.world.is_stale(case.now)


def _was_bought(item: str, case: Case) -> bool:
    """Return whether she bought the item; what is in her basket since, she wants again."""
    in_basket, since = item in case.person.basket_items, case.person.basket_since
    if in_basket and since is not None:
        return item in case.person.items_bought(since - ORDERED_WITHIN)
    return item in case.person.items_bought()


def _may_be_bought(choose: Choose | str | None, item: str, case: Case) -> bool:
    """Return whether the item may have been chosen of the order by which she entered."""
    while isinstance(choose, Choose):
        if is_of_order(choose, case.rules.own) and item in case.entry.items:
            return True
        choose = choose.otherwise
    return False


def _pushed_items(case: Case) -> set[str]:
    """Return the items that this scenario pushed to her lately."""
    since = case.now - NOT_AGAIN_WITHIN
    runs = case.person.runs_of(case.rules.own.id)
    pushes = [push for run in runs for push in run.pushes if push.at > since]
    return {item for push in pushes for item in push.items}


def _push(found: Iterable[Candidate], case: Case) -> Push:
    products = case.world.products or {}
    items = [_item_variables(one, products.get(one.item)) for one in found]
    claims = tuple(
        ItemClaim(item=one.item, price=products[one.item].price if one.item in products else None)
        for one in found
    )
    first = {"item": items[0]} if items else {}
    return Push(claims, {**first, "items": items, "entry": _entry_variables(case)})


def _item_variables(one: Candidate, product: Product | None) -> Mapping[str, Any]:
    given = {"id": one.item, "quantity": one.quantity}
    if product is None:
        return {**given, "price": one.price, "currency": one.currency}
    return {**product.texts, **given, "price": product.price, "currency": product.currency}


def _entry_variables(case: Case) -> Mapping[str, Any]:
    entry = case.entry
    return {"at": to_iso(entry.at), "count": entry.count, "items": list(entry.items)}
