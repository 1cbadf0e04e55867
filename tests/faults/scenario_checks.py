"""Checks of a round's scenario: what customers did, what their runs say, who was pushed. To the unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.clock import true_now
from tests.faults.client_ledger import ClientLedger
from tests.faults.customer_runs import Document, runs_by_visitor
from tests.faults.customers import CHEAP, FIRST, SCENARIO, SECOND, Customer, Customers
from tests.faults.fault_cluster import FaultCluster
from tests.faults.shop import Shop

Delivered = Mapping[str, set[str]]  # send → players


class ScenarioChecks:
    """Checks of one round. `sends` are its firings', once `differences` has read them."""

    def __init__(
        self, world: FaultCluster, shop: Shop, customers: Customers, ledger: ClientLedger
    ) -> None:
        self._world = world
        self._shop = shop
        self._customers = customers
        self._ledger = ledger
        self._runs: dict[str, list[Document]] = {}  # by visitor
        self._firings: dict[str, Document] = {}
        self.summary = ""

    @property
    def sends(self) -> set[str]:
        return set(self._firings)

    async def differences(self) -> list[str]:
        """Return what is under way still, or not as it should be in the end."""
        async with self._world.mongo() as database:
            ours = {"app": self._shop.app}
            found = [one async for one in database["firings"].find(ours)]
            self._runs = await runs_by_visitor(database, self._shop)
        self._firings = {one["_id"]: one for one in found}
        listed = (await self._world.ops("GET", f"/v1/apps/{self._shop.app}/scenarios"))["items"]
        states = Counter(one["state"] for one in found)
        under_way = [f"firings are {dict(states)}"] if set(states) - {"settled"} else []
        return [*under_way, *self._runs_differ(), *self._sums_differ(listed)]

    def _runs_differ(self) -> Iterator[str]:
        for customer in self._customers.all:
            match self._runs.get(customer.visitor, []):
                case [run]:
                    if differs := _differs(customer, run):
                        yield f"customer {customer.number}, {differs}: {_describe(run)}"
                case runs:
                    yield f"customer {customer.number} has {len(runs)} runs"
        for visitor in self._ledger.turns:
            ways = [_way(run) for run in self._runs.get(visitor, [])]
            if ways != [("", (), ())]:
                yield f"{visitor}, who only waits: {ways}"

    def _sums_differ(self, listed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Compare sums: who entered waits or ended, and no run that is due is forgotten."""
        # A person of two browsers is named by both.
        runs = {run["_id"]: run for runs in self._runs.values() for run in runs}.values()
        waiting = [run for run in runs if run["ended"] is None]
        ended = Counter(run["ended"]["why"] for run in runs if run["ended"] is not None)
        entered = len(self._customers.all) + len(self._ledger.turns)
        if entered != len(waiting) + sum(ended.values()):
            yield f"{entered} entered: {len(waiting)} wait, {dict(ended)} ended"
        listed_waiting = {one["id"]: one["waiting"] for one in listed}
        if listed_waiting != {SCENARIO: len(waiting)}:
            yield f"listed as waiting: {listed_waiting}, of {len(waiting)}"
        now = true_now()
        forgotten = [run for run in waiting if run["due"].replace(tzinfo=now.tzinfo) <= now]
        if forgotten:
            yield f"due, and not looked at: {list(map(_describe, forgotten))}"
        pushed = sum(len(run["pushes"]) for run in runs)
        skipped = Counter(one["why"] for run in runs for one in run["skipped"])
        self.summary = (
            f"{entered} entered, {len(waiting)} wait, ended {dict(ended)}; "
            f"{len(self._firings)} firings, {pushed} pushed, skipped {dict(skipped)}"
        )

    def check_deliveries(self, delivered: Delivered) -> None:
        """Check who was pushed by which firing: each step once, and nobody after her order."""
        steps: dict[str, list[str]] = defaultdict(list)
        for id, firing in self._firings.items():
            for player in delivered.get(id, ()):
                steps[player].append(firing["step"])
            self._check_firing(firing, delivered.get(id, set()))
        for customer in self._customers.all:
            got, (run,) = Counter(steps[customer.player]), self._runs[customer.visitor]
            assert all(count == 1 for count in got.values()), f"a step twice: {customer} {got}"
            assert not (customer.bought_in_time and got), (
                f"reminded of what was bought: {customer} {got}"
            )
            noted = Counter(push["step"] for push in run["pushes"])
            assert got == noted, f"{customer} got {got}; {_describe(run)}"

    def _check_firing(self, firing: Document, players: set[str]) -> None:
        chosen = firing.get("chosen", range(len(firing["members"])))
        counts = Counter[str](firing["counts"])
        assert counts.total() == len(chosen), f"of {len(chosen)} members {counts}: {firing['_id']}"
        assert counts["sent"] == len(players), f"{counts}, but {len(players)} got it"
        reached = {self._member(firing, n) for n in chosen} & {*self._runs_of(players)}
        assert len(reached) == len(players), f"pushed who is no member of {firing['_id']}"

    def _member(self, firing: Document, number: int) -> str:
        return str(firing["members"][number][0])

    def _runs_of(self, players: set[str]) -> list[str]:
        customers = [customer for customer in self._customers.all if customer.player in players]
        return [str(run["_id"]) for customer in customers for run in self._runs[customer.visitor]]


def _differs(customer: Customer, run: Document) -> str:
    """Return why the run isn't what the customer's hours and orders make of it; "" if it is."""
    ended, pushed, skipped = _way(run)
    if customer.orders:
        allowed = () if customer.bought_in_time else (FIRST,)
        is_right = ended == "bought" and not set(pushed) - set(allowed)
        return "" if is_right else "who bought"
    if customer.price == CHEAP:
        expected: tuple[str, ...] = (SECOND,) if customer.hours else ()
        left_out = ((FIRST, "only"),) if customer.hours else ()
    else:
        expected, left_out = (FIRST, SECOND)[: customer.hours], ()
    is_right = (ended, pushed, skipped) == ("", expected, left_out)
    return "" if is_right else f"who waited {customer.hours} hours"


def _way(run: Document) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return why it ended, the steps that were pushed, and those that were skipped."""
    ended = "" if run["ended"] is None else str(run["ended"]["why"])
    pushed = tuple(push["step"] for push in run["pushes"])
    return ended, pushed, tuple((one["step"], one["why"]) for one in run["skipped"])


def _describe(run: Document) -> str:
    ended, pushed, skipped = _way(run)
    return f"ended {ended!r}, pushed {pushed}, skipped {skipped}, next {run['step']} {run['due']}"
