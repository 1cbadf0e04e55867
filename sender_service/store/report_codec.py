"""Reports as stored: of campaigns in `reports`, of their present sends in `send_reports`. Pure."""

from __future__ import annotations

from sender_service.models.report import Cell, InteractionCounts, Report, SendReport
from sender_service.models.sums import decode_sums, encode_sums
from shared.mongo.client import Document


def encode_report(report: Report) -> Document:
    return {
        "_id": report.id,
        "app": report.app,
        "campaign": report.campaign,
        "sends": report.sends,
        **encode_send_report(SendReport(report.sums, report.interactions, report.cells)),
        "pendingSends": report.pending_sends,
        "rev": report.rev,
    }


def decode_report(document: Document) -> Report:
    share = decode_send_report(document)
    return Report(
        id=document["_id"],
        app=document["app"],
        campaign=document["campaign"],
        sends=document["sends"],
        sums=share.sums,
        interactions=share.interactions,
        cells=share.cells,
        pending_sends=document["pendingSends"],
        rev=document["rev"],
    )


def encode_send_report(report: SendReport) -> Document:
    counts = report.interactions
    return {
        "sums": encode_sums(report.sums),
        "interactions": {
            "impressions": counts.impressions,
            "clicks": counts.clicks,
            "closes": counts.closes,
        },
        "cells": [_encode_cell(cell) for cell in report.cells],
    }


def decode_send_report(document: Document) -> SendReport:
    counts = document["interactions"]
    return SendReport(
        decode_sums(document["sums"]),
        InteractionCounts(counts["impressions"], counts["clicks"], counts["closes"]),
        [_decode_cell(cell) for cell in document["cells"]],
    )


def _encode_cell(cell: Cell) -> Document:
    return {
        "variant": cell.variant,
        "browser": cell.browser,
        "sent": cell.sent,
        "measurable": cell.measurable,
        "impressions": cell.impressions,
        "clicks": cell.clicks,
        "closes": cell.closes,
    }


def _decode_cell(cell: Document) -> Cell:
    return Cell(
        cell["variant"],
        cell["browser"],
        cell["sent"],
        cell["measurable"],
        cell["impressions"],
        cell["clicks"],
        cell["closes"],
    )
