"""Reports of campaigns: rolled-up totals, and those of the sends that are still stored."""

from __future__ import annotations

from collections.abc import Sequence

from sender_service.account_closing import sums_so_far
from sender_service.accounting.reporting import Reporting
from sender_service.models.campaign import Campaign
from sender_service.models.report import (
    REPORT_COUNTS,
    InteractionCounts,
    Report,
    SendReport,
    blank_report,
    grouped,
    rates,
    summed,
)
from sender_service.models.send import SendRow
from sender_service.models.sums import Sums, encode_sums
from sender_service.ops.context import OpsContext
from sender_service.ops.responses.reports import LocationRatesResponse, ReportResponse
from sender_service.store.campaigns import campaign_key
from sender_service.store.reports import ReportStore
from sender_service.store.sends import SendStore

SENDS_NOW = 200  # breakdowns computed while a request waits; the rest soon after
MEMBERS_NOW = 20_000


class Reports:
    def __init__(self, sends: SendStore, reports: ReportStore, reporting: Reporting) -> None:
        self._sends = sends
        self._reports = reports
        self._reporting = reporting

    async def of_campaign(self, campaign: Campaign) -> ReportResponse:
        """Return a campaign's report. Totals are current.

        Breakdowns of large sends may be some seconds old or missing. `breakdownPending` counts those
        sends.
        """
        report, sends = await self._read(campaign)
        kept = await self._reports.of_sends(campaign.app, campaign.id)
        counts = await self._reporting.interactions.counts_of([send.id for send in sends])
        room = _Room()
        later: list[SendRow] = []
        for send in sends:
            sums = await sums_so_far(self._reporting.pages, send)
            known = _fresh(kept.get(send.id), sums, counts[send.id])
            if known is None and room.take(sums.audience):
                known = await self._reporting.compute(send)
            if known is None:
                later.append(send)
            known = known or kept.get(send.id)
            cells = [] if known is None else known.cells
            report.add(SendReport(sums, counts[send.id], cells))
        await self._reports.request_report(later)
        return to_report_response(report, campaign, len(later))

    async def _read(self, campaign: Campaign) -> tuple[Report, Sequence[SendRow]]:
        """Return the rolled-up report and the sends that it doesn't contain."""
        # Sends are read first. One that is rolled up meanwhile is in `pendingSends`: it counts once.
        key = campaign_key(campaign.app, campaign.id)
        sends = await self._sends.of_campaign(campaign.app, campaign.id)
        report = await self._reports.report(key)
        pending = set(report.pending_sends) if report is not None else set()
        blank = blank_report(key, campaign.app, campaign.id)
        rest = [
            send
            for send in sends
            if not send.rolled_up and not send.test and send.id not in pending
        ]
        return report or blank, rest


def open_reports(context: OpsContext) -> Reports:
    stores = context.stores
    return Reports(stores.sends, stores.reports, Reporting.of(stores, context.clock))


class _Room:
    """Limits on breakdowns that are computed while a request waits."""

    def __init__(self) -> None:
        self._sends, self._members = SENDS_NOW, MEMBERS_NOW

    def take(self, members: int) -> bool:
        if self._sends < 1 or self._members < members:
            return False
        self._sends -= 1
        self._members -= members
        return True


def _fresh(kept: SendReport | None, sums: Sums, counts: InteractionCounts) -> SendReport | None:
    """Return the stored breakdown; None where the send changed since."""
    if kept is None or kept.sums != sums or kept.interactions != counts:
        return None
    return kept


def to_report_response(report: Report, campaign: Campaign, pending: int) -> ReportResponse:
    cells, counts = report.cells, report.interactions
    total = summed(cells)
    fields = {
        "app": campaign.app,
        "campaign": campaign.id,
        "location": campaign.location,
        "sends": report.sends,
        **encode_sums(report.sums),
        "impressions": counts.impressions,
        "clicks": counts.clicks,
        "closes": counts.closes,
        "measurable": total["measurable"],
        **rates(total),
        "variants": grouped(cells, "variant"),
        "browsers": grouped(cells, "browser"),
        "breakdownPending": pending,
    }
    return ReportResponse(**fields)


def by_location(reports: Sequence[ReportResponse]) -> list[LocationRatesResponse]:
    """Sum campaigns' reports by the locations of their offers."""
    groups: dict[str, dict[str, int]] = {}
    for report in reports:
        sums = groups.setdefault(report.location, dict.fromkeys(REPORT_COUNTS, 0))
        for name in REPORT_COUNTS:
            sums[name] += getattr(report, name)
    return [
        LocationRatesResponse(**{"location": place, **sums, **rates(sums)})
        for place, sums in sorted(groups.items())
    ]
