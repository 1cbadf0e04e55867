"""Quiet hours of a page: its chunks are postponed until the night has ended. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from sender_service.models.policy import AppPolicy
from sender_service.models.send import SendOverview
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.pages.page import Page
from sender_service.pages.transitions import policy_of


def app_policy_of(send: SendOverview) -> AppPolicy:
    """Return the app's policy that the send started with."""
    return AppPolicy.model_validate(send.campaign_snapshot or {})


def quiet_hours_of(send: SendOverview) -> SendQuietHours | None:
    """Return the quiet hours that the send started with; None where none apply."""
    return SendQuietHours.of(policy_of(send), app_policy_of(send), send.priority)


def wait_through_quiet_hours(
    page: Page, send: SendOverview, now: datetime, answer_timeout: timedelta
) -> dict[str, datetime]:
    """Postpone chunks that are in quiet hours of their members' time zone, unanswered ones too.

    Return until when, of those for which it wasn't known when they were planned.
    """
    quiet, met = quiet_hours_of(send), dict[str, datetime]()
    if quiet is None:
        return met
    for name, chunk in page.chunks.items():
        if chunk.is_due(now) or chunk.is_unanswered(now, answer_timeout):
            until = quiet.until(now, chunk.time_zone)
            if until is not None:
                page.postpone(name, until)
                if quiet.until(page.planned_at, chunk.time_zone) != until:
                    met[name] = until
    return met
