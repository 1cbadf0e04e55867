"""Simulations as the API answers them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sender_service.models.decide.extrapolation import Estimate, extrapolate
from sender_service.models.scenario.simulation import (
    Base,
    Simulation,
    Tally,
)
from sender_service.ops.responses.simulations import (
    EstimateResponse,
    SimulatedHourResponse,
    SimulatedSideResponse,
    SimulationBaseResponse,
    SimulationResponse,
)

HOUR_SECONDS = 3_600


def to_simulation_response(simulation: Simulation) -> SimulationResponse:
    result = simulation.result
    present = None if result is None else result.present
    return SimulationResponse(
        n=simulation.n,
        scenario=simulation.draft.id,
        state=simulation.state,
        since=simulation.since,
        until=simulation.until,
        done=simulation.done,
        persons=simulation.persons,
        fault=simulation.fault,
        finished_at=simulation.finished_at,
        expires_at=simulation.expires_at,
        base=None if result is None else _base(result.base),
        draft=None if result is None else _side(result.draft, result.base),
        present=None if result is None or present is None else _side(present, result.base),
    )


def _base(base: Base) -> SimulationBaseResponse:
    return SimulationBaseResponse(
        share=base.share,
        persons=base.persons,
        counted=base.counted,
        left_out=dict(base.left_out),
        known_since=base.known_since,
        today=list(base.today),
        unknown=list(base.unknown),
    )


def _side(tally: Tally, base: Base) -> SimulatedSideResponse:
    share = base.counted_share
    reached = sum(tally.people.values())
    hours = sorted(tally.hours.items())
    return SimulatedSideResponse(
        entered=_estimate({1: tally.entered}, share),
        pushes=_estimate(tally.people, share),
        people=_estimate({1: reached}, share),
        hours=[
            SimulatedHourResponse(
                at=datetime.fromtimestamp(hour * HOUR_SECONDS, UTC),
                sample=count,
                estimate=_estimate({1: count}, share).estimate,
            )
            for hour, count in hours
        ],
        pushes_a_person={str(pushes): people for pushes, people in sorted(tally.people.items())},
        skipped=dict(tally.skipped),
        ended=dict(tally.ended),
        refused=dict(tally.refused),
        other_pushes=tally.other_pushes,
    )


def _estimate(counts: Mapping[int, int], share: float) -> EstimateResponse:
    """Extrapolate from the people who were counted; those left out are taken to be as they are."""
    if share == 0:
        total = sum(value * people for value, people in counts.items())
        return EstimateResponse(sample=total, estimate=None, low=None, high=None)
    found: Estimate = extrapolate(counts, share)
    return EstimateResponse(**found._asdict())
