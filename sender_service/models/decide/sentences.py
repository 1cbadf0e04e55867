"""Decisions in sentences, for who wants to know why somebody got a push or didn't. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sender_service.models.decide.decision import (
    Check,
    Decision,
    End,
    Enter,
    Push,
    Refuse,
    Skip,
    Wait,
)
from sender_service.models.scenario.firing import Firing
from shared.models.wire import to_iso

# By rule; then for details of their own. `{}` is the detail.
_PASSED: Mapping[str, str] = {
    "on": "the run is open, and the scenario is there",
    "new": "nothing of the kind is under way: {}",
    "again": "the person may enter: {}",
    "until": "no exit has happened, of {}",
    "until:none": "there are no exits",
    "if": "the person fulfils the scenario's condition",
    "if:all": "the scenario has no condition",
    "late": "it is not too late: {}",
    "done": "a step is left: {}",
    "step": "the scenario has the step",
    "off": "the scenario was on when the step fell due: {}",
    "off:": "the step is not due yet, so it doesn't matter whether the scenario is off",
    "wait": "the wait is over: {}",
    "wait:waits for no silence": "the step waits for no silence",
    "night": "it is no quiet hour for the person",
    "gap": "no other scenario push was too short a time ago",
    "only": "the person fulfils the step's condition",
    "only:all": "the step has no condition",
    "choose": "items were found: {}",
    "choose:no choice": "the step chooses no items",
    "choose:none": "there is nothing to offer, and the push goes without an item",
    "items": "what the push says of its items is true: {}",
}
_STOPPED: Mapping[str, str] = {
    "on": "the run is {}",
    "on:deleted": "the scenario was deleted",
    "on:": "the scenario is off",
    "new": "something of the kind is under way, or was later: {}",
    "again": "the person may not enter yet: {}",
    "until": "an exit has happened: {}",
    "until:bought": "the person bought something since the entry",
    "until:emptied": "the basket is empty, or all of it was ordered in the last 24 hours",
    "until:clicked": "the person clicked a push of the run",
    "if": "the person doesn't fulfil the scenario's condition",
    "late": "it is too late: {}",
    "done": "no step is left",
    "step": "the scenario has no such step any more",
    "off": "the scenario is off, or was when the step fell due: {}",
    "wait": "the wait isn't over: {}",
    "night": "it is a quiet hour for the person: {}",
    "gap": "another scenario push was too short a time ago: {}",
    "only": "the person doesn't fulfil the step's condition",
    "choose": "there is nothing to offer",
    "items": "what the push says of an item isn't true any more: {}",
}


def describe_check(check: Check) -> str:
    """Return the sentence about a rule, which let the person pass or stopped her."""
    sentences = _PASSED if check.ok else _STOPPED
    found = sentences.get(f"{check.rule}:{check.detail}") or sentences.get(check.rule)
    if check.rule == "on" and not check.ok and check.detail.startswith("off at "):
        found = "the scenario was {}"
    return _sentence((found or f"{check.rule}: {{}}").format(check.detail))


def describe_decision(decision: Decision, step: str | None) -> str:
    """Return the sentence about what becomes of the person; `step`: the run's next one."""
    match decision:
        case Enter():
            return _sentence(
                f"the person would enter, and the first step be due {to_iso(decision.due)}"
            )
        case Wait():
            return _sentence(f"the person waits for the step {step} until {to_iso(decision.until)}")
        case Push():
            return _sentence(f"the step {step} is pushed to the person")
        case Skip():
            return _sentence(f"the step {decision.step} is skipped: {decision.why}")
        case End():
            return _sentence(f"the run ends: {decision.why}")
        case Refuse():
            return _sentence(f"the person doesn't enter: {decision.why}")


def describe_share(firing: Firing, result: str | None, *, is_planned: bool) -> str:
    """Return the sentence about what a firing of the clock was to a person; `result`: of her push."""
    step = f"the step {firing.step}"
    if result == "sent":
        return _sentence(f"{step} was pushed to the person")
    if result == "pending":
        return _sentence(f"the push of {step} to the person is under way")
    if result is not None:
        return _sentence(f"{step} was not pushed to the person: {result}")
    if firing.state == "late":
        return _sentence(f"{step} was pushed to nobody: late")
    if not is_planned:
        return _sentence(f"who gets {step} isn't decided yet, or its send is deleted by now")
    refused = ", ".join(f"{why} {count}" for why, count in sorted(firing.counts.items()))
    who = "the person is not in its audience: not entered then, or without a browser"
    return _sentence(f"{who}. Results of all people: {refused or 'none'}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip(' :')}."
