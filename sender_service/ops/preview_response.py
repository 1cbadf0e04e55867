"""Answer of a preview, from what a dry run found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sender_service.models.malformed import Malformed, show_malformed
from sender_service.models.send import Send
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.preview import (
    ForecastResponse,
    PlannedResponse,
    PreviewResponse,
    QuietHoursWaitResponse,
    SampleResponse,
)
from sender_service.planner.bad_share import bad_share_message
from sender_service.planner.dry_run_result import DryRunResult, Sample
from sender_service.planner.text_check import size_warnings
from sender_service.providers.base import Providers


@dataclass(frozen=True)
class PlannedSend:
    """A send that was planned, and not stored.

    `common_calls`: the calls that it would take if links didn't differ; `largest_push`: in bytes.
    """

    send: Send
    found: DryRunResult
    malformed: Malformed
    common_calls: int
    largest_push: int
    providers: Providers


def to_preview_response(planned: PlannedSend, forecast: ForecastResponse) -> PreviewResponse:
    found = planned.found
    return PreviewResponse(
        app=planned.send.app,
        campaign=planned.send.campaign,
        exact=found.share >= 1,
        planned=PlannedResponse(people=found.people, share=round(found.share, 4)),
        **_counts(found, planned.malformed.count),
        malformed=show_malformed({"0": planned.malformed}),
        refusal=_refusal(found),
        warnings=[*_warnings(found, planned.common_calls), *size_warnings(planned.largest_push)],
        samples=[_to_sample(planned.providers, sample) for sample in found.best_samples],
        quiet_hours=_quiet(found),
        forecast=forecast,
    )


def _counts(found: DryRunResult, malformed: int) -> dict[str, Any]:
    sums = found.sums
    return {
        "audience": found.whole(sums.audience),
        "wouldReceive": {
            "people": found.whole(sums.people["pending"]),
            "players": found.whole(sums.pending),
        },
        "suppressed": {r: found.whole(n) for r, n in sums.suppressed.items()},
        "failed": {r: found.whole(n) for r, n in sums.failed.items()},
        "people": {
            place: found.whole(n)
            for place, n in sums.people.items()
            if place not in ("sent", "pending")
        }
        | {"malformed": malformed},
    }


def _refusal(found: DryRunResult) -> str | None:
    if found.too_dear:
        return "texts_too_dear: the texts take too much work"
    if found.people and found.too_many_bad:
        return f"bad_variables: {bad_share_message(found.bad, found.people, found.fault)}"
    return None


def _warnings(found: DryRunResult, common: int) -> list[WarningResponse]:
    """Return warnings about texts that split calls and about unknown time zones."""
    warnings = []
    if found.split:
        calls, fewer = found.whole(found.calls), found.whole(common)
        message = (
            f"links differ from person to person where texts don't: {calls} calls, "
            f"where a link that is the same for all would need {fewer}"
        )
        warnings.append(WarningResponse(code="links_split_calls", message=message))
    if found.no_zone:
        message = (
            f"quiet hours: the time zone of {found.whole(found.no_zone)} people isn't known, and"
            " the app has no timeZone: their night is UTC's"
        )
        warnings.append(WarningResponse(code="time_zone_unknown", message=message))
    return warnings


def _to_sample(providers: Providers, sample: Sample) -> SampleResponse:
    seen = providers[sample.provider].preview(sample.push)
    return SampleResponse(
        player=sample.player,
        language=sample.language,
        variant=sample.variant,
        heading=seen.title,
        content=seen.text,
        url=seen.url,
        icon=seen.icon,
        image=seen.image,
        buttons=list(seen.buttons),
    )


def _quiet(found: DryRunResult) -> QuietHoursWaitResponse | None:
    if found.quiet_until is None:
        return None
    return QuietHoursWaitResponse(waiting=found.whole(found.quiet), until=found.quiet_until)
