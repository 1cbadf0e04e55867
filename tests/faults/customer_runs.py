"""Runs of customers as MongoDB has them, and the hours that pass in them.

A scenario's waits are an hour, and a round lasts half a minute. An hour passes for one run alone: its
times are moved back until its next step is due. No clock is changed for it, so all that is measured in
seconds, leases, beats, the age of events, stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

from pymongo.errors import PyMongoError

from shared.clock import true_now
from shared.mongo.client import Database
from tests.faults.shop import Shop

# So that the step is also due for a process whose clock is 90 s behind.
DUE_SINCE = timedelta(minutes=2)
Document = dict[str, Any]


class HasVisitor(Protocol):
    visitor: str
    login: str


async def run_of(database: Database, shop: Shop, customer: HasVisitor) -> Document | None:
    """Return the customer's run; None before she is known, and while a merge carries it over."""
    place = {"app": shop.app, "visitors": customer.visitor, "login": customer.login}
    profile = await database["profiles"].find_one(place)
    if profile is None:
        return None
    persons = {"$in": [profile["_id"], *profile["aliases"]]}
    runs = [one async for one in database["runs"].find({"app": shop.app, "person": persons})]
    left = [run for run in runs if not _went_over(run)]
    # What is still another person's is copied just now, or will be.
    is_carried = len(left) == 1 and left[0]["person"] == profile["_id"]
    return left[0] if is_carried else None


async def runs_by_visitor(database: Database, shop: Shop) -> dict[str, list[Document]]:
    """Return the runs of a shop's people by each of their present and past visitors.

    Without those that went over to another person.
    """
    runs: dict[str, list[Document]] = defaultdict(list)
    async for run in database["runs"].find({"app": shop.app}):
        if not _went_over(run):
            runs[run["person"]].append(run)
    found: dict[str, list[Document]] = {}
    async for profile in database["profiles"].find({"app": shop.app}):
        for visitor in (*profile["visitors"], *profile["pastVisitors"]):
            found[visitor] = [*found.get(visitor, []), *runs.get(profile["_id"], [])]
    return found


def _went_over(run: Document) -> bool:
    return run["ended"] is not None and run["ended"]["why"] == "merged"


def unless_away(look: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """Return the look as one that finds nothing while the database is away."""

    async def look_if_possible() -> bool:
        try:
            return await look()
        except PyMongoError:
            return False

    return look_if_possible


async def let_hour_pass(database: Database, shop: Shop, customer: HasVisitor) -> bool:
    """Make the next step of the customer's run due; return False where that is to be tried again.

    Of a run that is over nothing is changed.
    """
    run = await run_of(database, shop, customer)
    if run is None or run["ended"] is not None:
        return run is not None
    passed = run["due"] - (true_now() - DUE_SINCE).replace(tzinfo=run["due"].tzinfo)
    pushes = [{**push, "at": push["at"] - passed} for push in run["pushes"]]
    moved = {name: run[name] - passed for name in ("due", "basis")}
    moved |= {"entry.at": run["entry"]["at"] - passed, "pushes": pushes}
    as_read = {"_id": run["_id"], "rev": run["rev"]}
    done = await database["runs"].update_one(as_read, {"$set": moved, "$inc": {"rev": 1}})
    return done.matched_count == 1
