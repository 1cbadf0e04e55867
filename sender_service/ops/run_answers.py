"""Runs and firings as the API answers them."""

from __future__ import annotations

from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.run_name import run_name
from sender_service.ops.responses.runs import (
    FiringResponse,
    RunEndResponse,
    RunEntryResponse,
    RunPushResponse,
    RunResponse,
    SkippedStepResponse,
)


def to_run_response(run: Run) -> RunResponse:
    entry, ended = run.entry, run.ended
    return RunResponse(
        run=run_name(run),
        person=run.person,
        state=run.state,
        version=run.version,
        entered=RunEntryResponse(
            at=entry.at, event=entry.event, items=list(entry.items), key=entry.key
        ),
        step=run.step,
        due=None if ended else run.due,
        ended=None if ended is None else RunEndResponse(why=ended.why, at=ended.at),
        pushes=[
            RunPushResponse(step=one.step, send=one.firing, at=one.at, items=list(one.items))
            for one in run.pushes
        ],
        skipped=[SkippedStepResponse(step=one.step, why=one.why, at=one.at) for one in run.skipped],
    )


def to_firing_response(firing: Firing) -> FiringResponse:
    return FiringResponse(
        id=firing.id,
        step=firing.step,
        version=firing.version,
        campaign=firing.campaign,
        state=firing.state,
        created_at=firing.made_at,
        due_at=firing.due_at,
        expires_at=firing.expires_at,
        counts=dict(firing.counts),
    )
