"""Response models of reports: what campaigns brought."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.ops.responses.base import Items, ResponseModel


class PeopleCounts(ResponseModel):
    """Counts of people, each in one place."""

    sent: int
    pending: int
    failed: int
    suppressed: int
    no_player: Annotated[int, Field(alias="no_player")]

    @property
    def total(self) -> int:
        """Return the count of known people."""
        return self.sent + self.pending + self.failed + self.suppressed + self.no_player


class RatesResponse(ResponseModel):
    """Counts of pushes and of reactions. Rates are over `measurable`; null where that is 0."""

    sent: int
    measurable: Annotated[int, Field(description="pushes to browsers that ever reported")]
    impressions: int
    clicks: int
    closes: int
    impression_rate: float | None
    click_rate: float | None


class VariantRatesResponse(RatesResponse):
    variant: str


class BrowserRatesResponse(RatesResponse):
    browser: str


class LocationRatesResponse(RatesResponse):
    location: str


class ReportResponse(RatesResponse):
    """Totals over a campaign's sends: audience = sent + pending + suppressed + failed."""

    app: str
    campaign: str
    location: str
    sends: int
    audience: int
    pending: int
    suppressed: Annotated[dict[str, int], Field(description="players by reason")]
    failed: Annotated[dict[str, int], Field(description="players by reason")]
    not_applicable: Annotated[dict[str, int], Field(description="players by detail of this reason")]
    people: PeopleCounts
    variants: list[VariantRatesResponse]
    browsers: list[BrowserRatesResponse]
    breakdown_pending: Annotated[
        int, Field(description="sends that variants and browsers lack, or have as they were")
    ]


class AppReportResponse(Items[ReportResponse]):
    """Reports of all campaigns of an app, and their sums by location."""

    locations: list[LocationRatesResponse]
