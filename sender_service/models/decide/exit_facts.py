"""Facts of exits: whether what a person did ends a run, or would, and since when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from sender_service.models.decide.person import Person
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.scenario import Exit

# A basket whose items were all ordered lately counts as emptied.
ORDERED_WITHIN = timedelta(hours=24)


def is_fulfilled(exit: Exit, person: Person, run: Run | Entry, now: datetime) -> bool:
    """Return whether the exit has happened to a run, or since an entry that begins none yet."""
    if exit == "bought":
        return person.has_ordered_since(run if isinstance(run, Entry) else run.entry)
    if exit == "emptied":
        return counts_as_emptied(person, now)
    return bool(_clicks_on(run, person))


def time_of_exit(why: str, person: Person, run: Run) -> datetime | None:
    """Return when the fact came that ends the run; None where no fact does.

    What she does after it may begin a new run, also where the end is noticed late.
    """
    if why == "bought":
        return min(person.orders_since(run.entry), default=None)
    if why == "emptied":
        times = [person.basket_since, *(at for _, at, _ in person.orders())]
        return max((at for at in times if at is not None), default=None)
    return min(_clicks_on(run, person), default=None) if why == "clicked" else None


def counts_as_emptied(person: Person, now: datetime) -> bool:
    """Return whether the basket has no line, or only items that were ordered lately."""
    return person.basket_items <= person.items_bought(now - ORDERED_WITHIN)


def _clicks_on(run: Run | Entry, person: Person) -> list[datetime]:
    """Return the times of clicks on the run's pushes."""
    firings = set() if isinstance(run, Entry) else {push.firing for push in run.pushes}
    return [one.at for one in person.clicks if one.send in firings]
