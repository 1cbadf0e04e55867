"""Codec of stored simulations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.simulation import (
    Base,
    Simulation,
    SimulationResult,
    Tally,
)
from sender_service.store.scenario_codec import decode_scenario, encode_body
from sender_service.store.tasks import decode_task, encode_task
from shared.mongo.client import Document


def encode_simulation(simulation: Simulation) -> Document:
    result = simulation.result
    return {
        **encode_task(simulation),
        "scenario": simulation.draft.id,
        "draft": encode_body(simulation.draft),
        "done": simulation.done,
        "persons": simulation.persons,
        "result": None if result is None else _encode_result(result),
    }


def decode_simulation(document: Document) -> Simulation:
    result = document["result"]
    return Simulation(
        **decode_task(document),
        draft=_decode_draft(document),
        done=document["done"],
        persons=document["persons"],
        result=None if result is None else _decode_result(result),
    )


def _decode_draft(document: Document) -> Scenario:
    """Return the draft, as it is nobody's version yet."""
    head = {
        "app": document["app"],
        "id": document["scenario"],
        "version": 0,
        "off": [],
        "timedSince": None,
    }
    return decode_scenario({**head, "body": document["draft"]})


def _encode_result(result: SimulationResult) -> Document:
    base, present = result.base, result.present
    return {
        "share": base.share,
        "persons": base.persons,
        "left_out": dict(base.left_out),
        "knownSince": base.known_since,
        "today": list(base.today),
        "unknown": list(base.unknown),
        "draft": _encode_tally(result.draft),
        "present": None if present is None else _encode_tally(present),
    }


def _decode_result(document: Document) -> SimulationResult:
    present = document["present"]
    base = Base(
        share=document["share"],
        persons=document["persons"],
        left_out=document["left_out"],
        known_since=document["knownSince"],
        today=tuple(document["today"]),
        unknown=tuple(document["unknown"]),
    )
    return SimulationResult(
        base=base,
        draft=_decode_tally(document["draft"]),
        present=None if present is None else _decode_tally(present),
    )


def _encode_tally(tally: Tally) -> Document:
    return {
        "entered": tally.entered,
        "hours": _with_text(tally.hours),
        "people": _with_text(tally.people),
        "skipped": dict(tally.skipped),
        "ended": dict(tally.ended),
        "refused": dict(tally.refused),
        "otherPushes": tally.other_pushes,
    }


def _decode_tally(document: Document) -> Tally:
    return Tally(
        entered=document["entered"],
        hours=Counter({int(hour): count for hour, count in document["hours"].items()}),
        people=Counter({int(pushes): count for pushes, count in document["people"].items()}),
        skipped=Counter(document["skipped"]),
        ended=Counter(document["ended"]),
        refused=Counter(document["refused"]),
        other_pushes=document["otherPushes"],
    )


def _with_text(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): count for number, count in counts.items()}
