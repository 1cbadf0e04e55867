"""Steps of silence, and pushes that come to nothing: waited for anew, unless the run went on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sender_service.models.decide.decision import (
    Push,
    Wait,
    why_not_applicable,
)
from sender_service.models.decide.progress import end_run, give_back, push_run, take_back
from sender_service.models.scenario.run import FiredStep
from sender_service.models.scenario.scenario import WaitFrom
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    HOUR,
    MINUTE,
    after,
    person_with,
    profile_with,
    release,
    rules_of,
    run_of,
    scenario,
    step,
    wake,
)

DUE = START + HOUR


def test_silence_that_is_broken_is_waited_for_anew() -> None:
    rules = rules_of(scenario(step(wait=after(60, "silence"))))
    seen = profile_with(lastSeenAt=DUE + MINUTE)
    run = push_run(run_of(rules.own), "f-1", rules.own, DUE)
    pushed = FiredStep(run=run, step="hour")
    stopped = release(pushed, DUE + 2 * MINUTE, person_with(profile=seen), rules)
    assert stopped == Wait(DUE + 61 * MINUTE) and why_not_applicable(stopped) == "active"
    waiting = give_back(run, "f-1", "active", rules.own, DUE + 3 * MINUTE)
    assert (waiting.step, waiting.pushes, waiting.skipped) == ("hour", (), ())
    assert wake(waiting, waiting.due, person_with(profile=seen), own=rules.own) == stopped
    # A visit before the claim that became known after it counts since then, not since the claim.
    early = person_with(profile=profile_with(lastSeenAt=DUE - 20 * MINUTE))
    assert wake(waiting, waiting.due, early, own=rules.own) == Wait(DUE + 40 * MINUTE)


def test_what_was_active_is_not_waited_for_anew_once_the_run_has_gone_on() -> None:
    own = scenario(step(wait=after(60, "silence")), step("day", after(1440)))
    pushed = push_run(run_of(own), "f-1", own, DUE)
    waits = give_back(pushed, "f-1", "active", own, DUE + MINUTE)
    assert (waits.step, waits.pushes, waits.skipped) == ("hour", (), ())
    gone_on = push_run(replace(pushed, due=DUE + DAY), "f-2", own, DUE + DAY)
    for run, step_then in ((gone_on, None), (end_run(pushed, "done", DUE + HOUR), "day")):
        left = give_back(run, "f-1", "active", own, DUE + DAY)
        assert [(one.step, one.why) for one in left.skipped] == [("hour", "active")]
        assert left.step == step_then and all(one.firing != "f-1" for one in left.pushes)


def test_the_last_step_that_was_active_is_waited_for_anew_though_the_run_was_over() -> None:
    own = scenario(step(wait=after(60, "silence")))
    pushed = push_run(run_of(own), "f-1", own, DUE)
    done = end_run(pushed, "done", DUE + MINUTE)
    waits = give_back(done, "f-1", "active", own, DUE + 2 * MINUTE)
    assert (waits.step, waits.pushes, waits.skipped, waits.ended) == ("hour", (), (), None)
    assert waits.due == DUE + 2 * MINUTE
    assert wake(waits, waits.due, own=own) == Push()
    # Another exit stays one, and whoever may have entered again since has that run.
    for ended, now in (("bought", DUE + 2 * MINUTE), ("done", DUE + 8 * DAY)):
        over = end_run(pushed, ended, DUE + MINUTE)  # type: ignore[arg-type]
        left = give_back(over, "f-1", "active", own, now)
        assert (left.ended, left.step) == (over.ended, None)
        assert [(one.step, one.why) for one in left.skipped] == [("hour", "active")]


def test_silence_asks_for_knowledge_where_it_is_the_run_s_own_wait() -> None:
    silent = scenario(step(wait=after(60, "silence")), until=())
    plain = scenario(until=())
    assert rules_of(silent).needs_knowledge and rules_of(silent, present=plain).needs_knowledge
    assert not rules_of(plain).needs_knowledge
    assert not rules_of(plain, present=silent).needs_knowledge


@pytest.mark.parametrize("of", ["entry", "previous", "silence"])
def test_claim_that_came_too_late_is_taken_back_and_looked_at_anew(of: WaitFrom) -> None:
    own = scenario(step(wait=after(60, of)), step("day", after(1440)))
    pushed = push_run(run_of(own), "f-1", own, DUE)
    taken = take_back(pushed, "f-1", own, DUE + MINUTE)
    assert (taken.step, taken.pushes, taken.skipped) == ("hour", (), ())
    assert wake(taken, DUE + MINUTE, own=own) == Push()
    assert take_back(taken, "f-1", own, DUE + MINUTE) == taken
    gone_on = push_run(replace(pushed, due=DUE + DAY), "f-2", own, DUE + DAY)
    left = take_back(gone_on, "f-1", own, DUE + DAY)
    # Nobody was active, and nobody was pushed: it is too late for the step.
    assert [(one.step, one.why) for one in left.skipped] == [("hour", "late")]
    assert [one.firing for one in left.pushes] == ["f-2"]
