"""Progress of a run: its state after a decision, and after its push came to nothing. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.models.decide.decision import End, Skip, Wait
from sender_service.models.decide.due import due_of, next_look
from sender_service.models.decide.exit_facts import time_of_exit
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.scenario.firing import LATE, StepClaim
from sender_service.models.scenario.run import (
    MAX_STEPS_KEPT,
    EndReason,
    Entry,
    Run,
    RunEnd,
    RunPush,
    SkippedStep,
)
from sender_service.models.scenario.scenario import After, Scenario, Step
from sender_service.models.send import NEVER
from shared.reasons import NotApplicable


def begin_run(person: Person, entry: Entry, due: datetime, rules: Rules) -> Run:
    """Return the run of a person who enters. `due`: when its first step is."""
    same = [run.n for run in person.runs_of(rules.own.id) if run.entry.key == entry.key]
    return Run(
        app=rules.own.app,
        scenario=rules.own.id,
        person=person.id,
        version=rules.own.version,
        entry=entry,
        step=rules.own.steps[0].id,
        basis=entry.at,
        due=due,
        n=max(same, default=0) + 1,
        again_days=rules.own.again.length.days,
    )


def proceed(
    run: Run, decision: Wait | Skip | End, person: Person, rules: Rules, now: datetime
) -> Run:
    """Return the run after a decision of the wake that pushes nothing."""
    if isinstance(decision, Wait):
        return replace(run, due=decision.until)
    if isinstance(decision, End):
        return end_run(run, decision.why, time_of_exit(decision.why, person, run) or now)
    following = step_after(rules.own, decision.step)
    skipped = run.with_skipped(SkippedStep(step=decision.step, why=decision.why, at=now))
    basis = run.basis if decision.basis is None else decision.basis
    moved = replace(skipped, step=None if following is None else following.id, basis=basis)
    return replace(moved, due=now if following is None else due_of(following, moved, person, rules))


def push_run(run: Run, firing: str, scenario: Scenario, now: datetime) -> Run:
    """Return the run after a firing took its step; `scenario` is the version of the run."""
    if run.step is None or run.ended is not None:
        return run
    following = step_after(scenario, run.step)
    pushed = run.with_push(RunPush(step=run.step, firing=firing, at=now))
    step = None if following is None else following.id
    return replace(pushed, step=step, basis=now, due=next_look(following, now))


def claim_of(firing: str, step: str, scenario: Scenario, now: datetime) -> StepClaim:
    """Return the change that does to each run of a firing what `push_run` does to one."""
    following = step_after(scenario, step)
    return StepClaim(
        version=scenario.version,
        step=step,
        until=now,
        push=RunPush(step=step, firing=firing, at=now),
        next_step=None if following is None else following.id,
        basis=now,
        due=next_look(following, now),
    )


def give_back(
    run: Run,
    firing: str,
    why: NotApplicable | str,
    scenario: Scenario,
    now: datetime,
) -> Run:
    """Return the run after its push was not sent: the step counts as skipped, without a push.

    A step that waits for silence is waited for anew where she was active, unless the run went on. One
    that was the last ended the run, which then waits again.
    """
    push = _push_by(run, firing)
    if push is None:
        return run
    waits = _await_again(run, push, scenario, now) if why == "active" else None
    if waits is not None:
        return waits
    return _without(run, push).with_skipped(SkippedStep(step=push.step, why=why, at=now))


def take_back(run: Run, firing: str, scenario: Scenario, now: datetime) -> Run:
    """Return the run after a firing took its step that doesn't have it as a member.

    It is looked at anew; where the run went on meanwhile, the step is late.
    """
    push = _push_by(run, firing)
    waits = None if push is None else _await_again(run, push, scenario, now)
    return waits or give_back(run, firing, LATE, scenario, now)


def _await_again(run: Run, push: RunPush, scenario: Scenario, now: datetime) -> Run | None:
    """Return the run as it waits for the push's step again; None where it went on."""
    step, following = scenario.step(push.step), step_after(scenario, push.step)
    is_next = run.step == (None if following is None else following.id)
    if step is None or not is_next or (run.ended and not _reopens(run, push, scenario, now)):
        return None
    # The claim replaced the basis. The step was due by then, so its wait had begun as long before.
    length = step.wait.length if isinstance(step.wait, After) else timedelta(0)
    waiting = _without(replace(run, ended=None), push)
    return replace(waiting, step=step.id, basis=push.at - length, due=now)


def _reopens(run: Run, push: RunPush, scenario: Scenario, now: datetime) -> bool:
    """Return whether a run is over for its push alone, and can't have been followed by another."""
    again = scenario.again
    since = push.at if again.since == "push" else run.entry.at
    is_done = run.ended is not None and run.ended.why == "done"
    return is_done and run.step is None and now < since + again.length


def _push_by(run: Run, firing: str) -> RunPush | None:
    return next((one for one in run.pushes if one.firing == firing), None)


def _without(run: Run, push: RunPush) -> Run:
    return replace(run, pushes=tuple(one for one in run.pushes if one.firing != push.firing))


def note_items(run: Run, firing: str, items: tuple[str, ...]) -> Run:
    """Return the run with what its push by the firing was about; the run itself if it has that."""
    if all(one.items == items for one in run.pushes if one.firing == firing):
        return run
    noted = (replace(one, items=items) if one.firing == firing else one for one in run.pushes)
    return replace(run, pushes=tuple(noted))


def take_over(run: Run, own: Run | None, person: Person, scenario: Scenario) -> Run:
    """Return the survivor's run after a merge, with what the merged person's run has come to.

    `own`: the survivor's waiting one, which stays and takes the pushes, their steps done. `scenario` is
    the version of the run that is returned.
    """
    if own is None:
        same = [one.n for one in person.runs_of(run.scenario) if one.entry.key == run.entry.key]
        return replace(run, person=person.id, n=max(same, default=0) + 1, rev=0)
    # Of one firing in both the one that knows its items.
    known = {p.firing: p for p in sorted((*own.pushes, *run.pushes), key=lambda push: push.items)}
    pushes = sorted(known.values(), key=lambda push: (push.at, push.firing))
    joined = replace(own, pushes=tuple(pushes)[-MAX_STEPS_KEPT:])
    for push in run.pushes:
        if not _is_behind(scenario, push.step, joined.step):
            following = step_after(scenario, push.step)
            step = None if following is None else following.id
            joined = replace(joined, step=step, basis=push.at, due=next_look(following, push.at))
    return joined


def end_run(run: Run, why: EndReason, at: datetime) -> Run:
    """Return the run as ended; one that is over stays as it is."""
    return run if run.ended else replace(run, ended=RunEnd(why=why, at=at), due=NEVER)


def step_after(scenario: Scenario, step: str) -> Step | None:
    ids = [one.id for one in scenario.steps]
    place = ids.index(step) + 1 if step in ids else len(ids)
    return scenario.steps[place] if place < len(ids) else None


def _is_behind(scenario: Scenario, step: str, next_step: str | None) -> bool:
    """Return whether a run that comes to `next_step` has passed the step, or never has it."""
    ids = [one.id for one in scenario.steps]
    if step not in ids or next_step is None:
        return True
    return ids.index(step) < ids.index(next_step)
