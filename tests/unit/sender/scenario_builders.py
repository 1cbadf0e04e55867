"""Scenarios, people and runs, as small as they may be, and a walk of a run through time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Decision, Enter, Push, Wait
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run, proceed, push_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD, World
from sender_service.models.scenario.entry_rules import OnBasket
from sender_service.models.scenario.run import Entry, FiredStep, Run
from sender_service.models.scenario.scenario import After, Again, Scenario, Step, WaitFrom
from sender_service.models.segment import BoundedSegment, Segment
from shared.documents.profile import BasketLine, Profile, Purchase
from tests.support.clocks import START
from tests.support.documents import build_profile

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
APP_GAP = HOUR  # as apps have it where they don't say
PARSER: TypeAdapter[Segment] = TypeAdapter(BoundedSegment)
WORTH_50 = PARSER.validate_python({"basket": {"total": {"atLeast": 50}}})
ENTRY = Entry(at=START, event="e-1", items=("tea",))


def after(minutes: float, of: WaitFrom = "previous") -> After:
    return After(length=minutes * MINUTE, of=of)


def step(id: str = "hour", wait: Any = None, **fields: Any) -> Step:
    return Step(id=id, campaign=fields.pop("campaign", id), wait=wait or after(60), **fields)


def scenario(*steps: Step, **fields: Any) -> Scenario:
    """Return an abandoned-basket scenario, but for the given fields."""
    given: dict[str, Any] = {
        "app": "demo", "id": "basket", "version": 1, "name": "Basket", "enabled": True,
        "priority": 50, "entry": OnBasket(), "condition": None, "steps": steps or (step(),),
        "until": ("bought", "emptied"), "again": Again(length=7 * DAY, since="push"),
        "max_late": 120 * MINUTE, "spread": timedelta(0), **fields,
    }  # fmt: skip
    return Scenario(**given)


def rules_of(own: Scenario | None = None, **fields: Any) -> Rules:
    """Return rules without a night, where the run's version is the present one."""
    version = own or scenario()
    given = {"own": version, "present": version, "gap": APP_GAP, "night": None, **fields}
    return Rules(**given)


def app_rules(*scenarios: Scenario, **fields: Any) -> AppRules:
    """Return rules of an app without a night; of one scenario where none is given."""
    present = {one.id: one for one in scenarios or (scenario(),)}
    given = {"app": "demo", "present": present, "gap": APP_GAP, "night": None, **fields}
    return AppRules(**given)


def line(item: str = "tea", price: float | None = 20.0, quantity: float = 1) -> BasketLine:
    return {"item": item, "quantity": quantity, "price": price}


def order(at: datetime, *items: str, id: str = "o-1") -> Purchase:
    lines = [line(item) for item in items]
    return {"id": id, "items": lines, "revenue": 20.0, "currency": "EUR", "at": at}


def profile_with(*lines: BasketLine, at: datetime = START, **fields: Any) -> Profile:
    """Return a profile with these lines in the basket since `at`, one of tea where none is given."""
    basket = {"items": list(lines or (line(),)), "total": 20.0, "currency": "EUR", "at": at}
    given = {"basket": {**basket, "since": at}, "lastSeenAt": at, **fields}
    return build_profile("p-1", **given)


def empty_basket() -> dict[str, Any]:
    return {"items": [], "total": None, "currency": None, "at": START, "since": START}


def person_with(*runs: Run, profile: Profile | None = None, **fields: Any) -> Person:
    return Person.of(profile or profile_with(), runs, **fields)


def run_of(own: Scenario | None = None, **fields: Any) -> Run:
    """Return a run of ENTRY that waits for its first step, but for the given fields."""
    version = own or scenario()
    begun = begin_run(person_with(), fields.pop("entry", ENTRY), START, rules_of(version))
    return replace(begun, **fields)


def wake(run: Run, now: datetime, person: Any = None, **rules: Any) -> Decision:
    own = rules.pop("own", None)
    return decide(person or person_with(run), run, rules_of(own, **rules), EMPTY_WORLD, now, "wake")


def plan(run: Run | Entry, now: datetime, person: Person, rules: Rules, **more: Any) -> Decision:
    """Decide at planning on the run's first step."""
    fired = FiredStep(run=run, step=more.pop("step", rules.own.steps[0].id))
    return decide(person, fired, rules, more.pop("world", EMPTY_WORLD), now, "planning")


def release(fired: FiredStep, now: datetime, person: Person, rules: Rules, **more: Any) -> Decision:
    return decide(person, fired, rules, more.pop("world", EMPTY_WORLD), now, "release")


def enter(person: Person, entry: Entry, rules: Rules, now: datetime) -> Decision:
    return decide(person, entry, rules, EMPTY_WORLD, now, "entry")


def walk(
    person: Person,
    rules: Rules,
    looks: Sequence[datetime],
    entry: Entry = ENTRY,
    world: World = EMPTY_WORLD,
) -> tuple[Run | None, list[tuple[datetime, Decision]]]:
    """Return the run, and what became of it, where the waker looks at these times alone."""
    entered = decide(person, entry, rules, world, looks[0], "entry")
    if not isinstance(entered, Enter):
        return None, [(looks[0], entered)]
    run = begin_run(person, entry, entered.due, rules)
    found: list[tuple[datetime, Decision]] = []
    for now in looks:
        while run.ended is None and run.due <= now:
            decision = decide(person.with_run(run), run, rules, world, now, "wake")
            found.append((now, decision))
            run = follow(run, decision, person.with_run(run), rules, now)
    return run, found


def follow(run: Run, decision: Decision, person: Person, rules: Rules, now: datetime) -> Run:
    """Return the run after any decision of the wake."""
    if isinstance(decision, Push):
        return push_run(run, f"f-{len(run.pushes)}", rules.own, now)
    assert not isinstance(decision, Enter) and decision.__class__.__name__ != "Refuse"
    if isinstance(decision, Wait):
        assert decision.until > now
    return proceed(run, decision, person, rules, now)  # type: ignore[arg-type]
