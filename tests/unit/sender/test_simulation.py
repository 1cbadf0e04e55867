"""Simulation of people by their histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sender_service.models.decide import simulate as simulating
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide_together
from sender_service.models.decide.decision import Push
from sender_service.models.decide.folded_history import FoldedHistory, why_left_out
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import proceed, push_run
from sender_service.models.decide.reaction import react
from sender_service.models.decide.simulate import TooManyLooks, simulate
from sender_service.models.decide.simulated_person import SimulatedPerson
from sender_service.models.decide.tally import count_person, fields_of_today, unknown_of
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import OnBought, OnViewed
from sender_service.models.scenario.history import HeardMoment, History
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Again, OffInterval
from sender_service.models.scenario.simulation import Tally
from shared.models.facts import BasketChanged, Bought, Fact, FactLine, Joined, Separated, Viewed
from shared.models.person_moment import PersonMoment
from shared.models.quiet_hours import QuietHours
from tests.support.clocks import START
from tests.support.documents import build_profile
from tests.unit.sender.scenario_builders import (
    DAY,
    HOUR,
    MINUTE,
    PARSER,
    WORTH_50,
    after,
    app_rules,
    scenario,
    step,
)

NO_AGAIN = Again(length=timedelta(0), since="push")
MINUTES_SIMULATED = 600


def heard(minute: int, *facts: Fact, subscribed: int = 1) -> HeardMoment:
    at = START + minute * MINUTE
    moment = PersonMoment(
        app="demo", person="p-1", seen_at=at, subscribed=subscribed, facts=list(facts)
    )
    return HeardMoment(at, moment)


def basket(minute: int, *items: str, price: float = 30.0) -> BasketChanged:
    lines = [FactLine(item, 1, price) for item in items]
    return BasketChanged(
        f"b-{minute}", START + minute * MINUTE, lines, total=len(items) * price, currency="EUR"
    )


def bought(minute: int, *items: str) -> Bought:
    lines = [FactLine(item, 1, 30.0) for item in items]
    return Bought(f"o-{minute}", START + minute * MINUTE, f"o-{minute}", lines, "page")


def viewed(minute: int, item: str) -> Viewed:
    return Viewed(f"v-{minute}", START + minute * MINUTE, item)


def folded(*moments: HeardMoment) -> FoldedHistory:
    return FoldedHistory(History(person="p-1", moments=moments), build_profile("p-1"))


def simulated(rules: AppRules, *moments: HeardMoment, minutes: int = 5_000) -> SimulatedPerson:
    return simulate(folded(*moments), rules, START + minutes * MINUTE)


def pushes(found: SimulatedPerson) -> list[tuple[str, datetime]]:
    return [(push.step, push.at) for run in found.runs for push in run.pushes]


def test_person_who_leaves_a_basket_is_pushed_when_it_is_due() -> None:
    own = app_rules(scenario(step("hour"), step("day", after(1440))))
    found = simulated(own, heard(1, basket(1, "tea")))
    at = START + 61 * MINUTE
    assert pushes(found) == [("hour", at), ("day", at + DAY)]
    assert simulated(own, heard(1, basket(1, "tea")), minutes=60).runs[0].pushes == ()


def test_purchase_that_is_read_when_the_push_is_due_goes_first() -> None:
    (run,) = simulated(
        app_rules(scenario()), heard(0, basket(0, "tea")), heard(60, bought(60, "tea"))
    ).runs
    assert run.ended is not None and run.ended.why == "bought" and not run.pushes


def test_push_without_a_player_is_given_back() -> None:
    (run,) = simulated(app_rules(scenario()), heard(0, basket(0, "tea"), subscribed=0)).runs
    assert [one.why for one in run.skipped] == ["no_player"] and not run.pushes


def test_other_scenarios_of_the_app_keep_the_gap() -> None:
    other = replace(scenario(step(wait=after(61))), id="other", priority=10)
    late = replace(other, max_late=5 * MINUTE)
    found = simulated(app_rules(scenario(), late), heard(0, basket(0, "tea")))
    by_scenario = {run.scenario: [one.why for one in run.skipped] for run in found.runs}
    assert by_scenario == {"basket": [], "other": ["outranked"]}
    tally = Tally()
    count_person(tally, found, "other", START)
    assert (tally.other_pushes, dict(tally.skipped), dict(tally.people)) == (
        1,
        {"outranked": 1},
        {},
    )


def test_time_in_which_a_scenario_was_off_counts() -> None:
    off = (OffInterval(start=START, end=START + 2 * HOUR),)
    found = simulated(app_rules(scenario(off=off)), heard(1, basket(1, "tea")))
    assert not found.runs and [one.why for one in found.refused] == ["off"]


@pytest.mark.parametrize(
    ("why", "facts", "fields"),
    [
        ("merged", [Joined("j", START, "other")], {}),
        ("parted", [Separated("s", START, "other")], {}),
        ("cut", [], {"is_cut": True}),
        (None, [viewed(0, "tea")], {}),
    ],
)
def test_history_that_lacks_something_isnt_counted(
    why: str | None, facts: list[Fact], fields: dict[str, Any]
) -> None:
    history = History(person="p-1", moments=(heard(0, *facts),), **fields)
    assert why_left_out(history, build_profile("p-1")) == why
    assert why_left_out(replace(history, is_cut=False), None) == (
        "merged" if why == "merged" else "gone"
    )


def test_person_with_too_many_decisions_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "MAX_LOOKS", 3)
    with pytest.raises(TooManyLooks):
        simulated(app_rules(scenario()), *(heard(n, basket(n, "tea")) for n in range(5)))


def test_what_is_of_today_or_unknown_is_named() -> None:
    asked = {"and": [{"not": {"language": ["cs"]}}, {"known": "email"}]}
    own = scenario(condition=PARSER.validate_python(asked), until=("bought", "clicked"))
    assert fields_of_today([own]) == ("language", "known")
    assert fields_of_today([scenario(step(only=WORTH_50))]) == ()
    assert (unknown_of([own]), unknown_of([scenario()])) == (("clicked", "caps"), ("caps",))


ITEMS = st.lists(st.sampled_from(["tea", "cup", "pot"]), max_size=3, unique=True)
FACTS: dict[str, Any] = {
    "basket": lambda minute, items: basket(minute, *items),
    "bought": lambda minute, items: bought(minute, *(items or ["tea"])),
    "viewed": lambda minute, items: viewed(minute, (items or ["tea"])[0]),
}


@st.composite
def moments(draw: st.DrawFn) -> HeardMoment:
    minute = draw(st.integers(0, MINUTES_SIMULATED))
    kinds = draw(st.lists(st.sampled_from(sorted(FACTS)), max_size=2, unique=True))
    facts = [FACTS[kind](max(0, minute - draw(st.integers(0, 9))), draw(ITEMS)) for kind in kinds]
    return heard(minute, *facts)


@st.composite
def scenario_sets(draw: st.DrawFn) -> AppRules:
    first = st.sampled_from([after(0, "entry"), after(60, "entry"), after(30, "silence")])
    waits = st.sampled_from(
        [after(0), after(5), after(60), after(90, "silence"), after(61, "entry")]
    )
    found = []
    for id in draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)):
        one = scenario(
            step("s0", draw(first)),
            step("s1", draw(waits), only=draw(st.sampled_from([None, WORTH_50]))),
            priority=draw(st.integers(1, 3)),
            max_late=draw(st.sampled_from([5, 60])) * MINUTE,
            again=draw(st.sampled_from([NO_AGAIN, Again(length=DAY, since="entry")])),
            until=draw(st.sampled_from([(), ("bought",)])),
            entry=draw(st.sampled_from([scenario().entry, OnBought(), OnViewed(at_least=2)])),
        )  # fmt: skip
        found.append(replace(one, id=id))
    night = st.sampled_from([None, QuietHours(start="14:00", end="15:30")])
    return app_rules(*found, gap=draw(st.sampled_from([0, 45])) * MINUTE, night=draw(night))


def look_each_minute(of: FoldedHistory, rules: AppRules) -> list[Run]:
    """Return the runs where the stage reads each moment, and the waker looks every minute."""
    runs: dict[str, Run] = {}
    count = 0
    for minute in range(MINUTES_SIMULATED + 1):
        now = START + minute * MINUTE
        read = [one.moment for one in of.history.moments if one.at == now]
        count += len(read)
        if not count:
            continue
        reaction = react(_person(of, count, runs), read, rules, EMPTY_WORLD, now)
        runs |= {run.id: run for run in (*reaction.ended, *reaction.begun)}
        while due := [run for run in runs.values() if run.ended is None and run.due <= now]:
            person = _person(of, count, runs)
            known = [(run, rules.of_version(run.scenario, run.version)) for run in due]
            own = {run.id: one for run, one in known if one is not None}
            looked = decide_together(person, [(run, own[run.id]) for run in due], EMPTY_WORLD, now)
            for run, decision in looked:
                if isinstance(decision, Push):
                    runs[run.id] = push_run(run, f"{minute}", own[run.id].own, now)
                else:
                    runs[run.id] = proceed(run, decision, person, own[run.id], now)  # type: ignore[arg-type]
    return list(runs.values())


def _person(of: FoldedHistory, count: int, runs: dict[str, Run]) -> Person:
    return Person.of(of.profile(count), runs.values())


def outline(run: Run) -> tuple[Any, ...]:
    return (
        run.id, run.entry, run.step, [(one.step, one.at) for one in run.pushes], run.skipped, run.ended,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(of=st.lists(moments(), min_size=1, max_size=8), rules=scenario_sets())
def test_case_52_simulation_decides_what_looks_at_each_minute_decide(
    of: list[HeardMoment], rules: AppRules
) -> None:
    history = folded(*sorted(of, key=lambda one: one.at))
    found = simulate(history, rules, START + MINUTES_SIMULATED * MINUTE)
    expected = look_each_minute(history, rules)
    assert sorted(map(outline, found.runs)) == sorted(map(outline, expected))
