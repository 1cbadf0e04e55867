"""Rules of a run and its step: at wake, at planning, at release. Pure."""

from __future__ import annotations

from sender_service.models.decide.case import Case, Found
from sender_service.models.decide.decision import End, Skip, SkipReason, Wait
from sender_service.models.decide.due import earliest_push, night_end_of, silence_end
from sender_service.models.segment_match import matches
from shared.models.wire import to_iso

# A firing under way goes on after its run was done, or went over to the person it was merged into.
STILL_FIRED = ("done", "merged")


def check_open(case: Case) -> Found:
    """End what is over, or has no scenario any more."""
    run = case.run
    if run is not None and run.ended is not None:
        return End(run.ended.why), f"over since {to_iso(run.ended.at)}"
    return (End("deleted"), "deleted") if case.rules.present is None else (None, "")


def check_done(case: Case) -> Found:
    """End a run that has no step left."""
    return (End("done"), "no step left") if case.step is None else (None, case.step.id)


def check_fired(case: Case) -> Found:
    """Stop a planned push whose run was ended, or whose scenario is off or deleted."""
    run, present = case.run, case.rules.present
    if run is not None and run.ended is not None and run.ended.why not in STILL_FIRED:
        return End(run.ended.why), f"over since {to_iso(run.ended.at)}"
    if present is None:
        return _skip(case, "deleted"), "deleted"
    return (None if present.enabled else _skip(case, "off")), ""


def check_step(case: Case) -> Found:
    """Skip a step that either version lacks."""
    present = case.rules.present
    is_there = case.step is not None and (present is None or present.step(case.step.id) is not None)
    return (None if is_there else _skip(case, "gone")), ""


def check_off(case: Case) -> Found:
    """Skip a step that fell due while the scenario was off, or is due while it is."""
    present, due = case.rules.present, case.due
    if present is None or due > case.now:
        return None, ""
    is_off = not present.enabled or present.was_off_at(due)
    return (_skip(case, "off") if is_off else None), f"due {to_iso(due)}"


def check_late(case: Case) -> Found:
    """Skip a step that is looked at too long after its due time, or after the end of its night."""
    until = case.in_time_until
    return (_skip(case, "late") if case.now > until else None), f"in time until {to_iso(until)}"


def check_wait(case: Case) -> Found:
    """Wait until the step is due."""
    return (Wait(case.due) if case.due > case.now else None), f"due {to_iso(case.due)}"


def check_silence(case: Case) -> Found:
    """Wait anew where she was seen since a step that waits for her silence was fired."""
    end = silence_end(case.this_step, case.person)
    if end is None:
        return None, "waits for no silence"
    return (Wait(end) if end > case.now else None), f"silent until {to_iso(end)}"


def check_night(case: Case) -> Found:
    """Wait for the end of her quiet hours, so that choice and text are of the morning."""
    end = night_end_of(case.this_step, case.person, case.rules, case.now)
    return (None, "day") if end is None else (Wait(end), f"quiet until {to_iso(end)}")


def check_gap(case: Case) -> Found:
    """Wait for the gap to her scenario pushes; skip what is too late by then."""
    end = case.person.free_from(case.now, case.rules.gap)
    if end <= case.now:
        return None, ""
    detail = f"gap until {to_iso(end)}"
    if earliest_push(case.this_step, case.person, case.rules, end) > case.in_time_until:
        return _skip(case, "outranked"), detail
    return Wait(end), detail


def check_only(case: Case) -> Found:
    """Skip the step where its condition, of either version, isn't fulfilled."""
    conditions = case.rules.only(case.this_step.id)
    fulfilled = all(matches(one, case.profile, case.now) for one in conditions)
    return (None if fulfilled else _skip(case, "only")), "" if conditions else "all"


def _skip(case: Case, why: SkipReason) -> Skip:
    """Return the skip, from whose basis the next step's wait counts."""
    # From when the step should have been pushed: an outage moves none of the steps after it.
    if case.step is None or case.stage in ("planning", "release"):
        return Skip(case.step.id if case.step else "", why)
    return Skip(case.step.id, why, basis=case.earliest)
