"""Parts of a scenario's preview, from what was counted."""

from __future__ import annotations

from collections.abc import Sequence

from sender_service.models.decide.previewing import PreviewCounts
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.scenario_preview import (
    EntriesPreviewResponse,
    RunsPreviewResponse,
)
from shared.errors import FieldError


def to_problems(unmet: Sequence[FieldError]) -> list[WarningResponse]:
    return [WarningResponse(field=one.field, code=one.code, message=one.message) for one in unmet]


def entries_of(counts: PreviewCounts, *, exact: bool) -> EntriesPreviewResponse:
    refused = {why: count for why, count in counts.entries.items() if why != "enter"}
    return EntriesPreviewResponse(
        looked=counts.entries.total(), exact=exact, enter=counts.entries["enter"], refused=refused
    )


def runs_of(counts: PreviewCounts, *, exact: bool) -> RunsPreviewResponse:
    def by_why(result: str) -> dict[str, int]:
        return {why: count for (name, why), count in counts.looks.items() if name == result}

    return RunsPreviewResponse(
        looked=counts.looks.total(),
        exact=exact,
        push=counts.looks["push", ""],
        wait=counts.looks["wait", ""],
        skip=by_why("skip"),
        end=by_why("end"),
    )
