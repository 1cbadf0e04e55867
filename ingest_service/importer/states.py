"""Subscription states of rows: of several columns the worst state wins. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ingest_service.importer.columns import Row, find, texts, unquote, whole
from ingest_service.onesignal.subscription_status import SUBSCRIBED, Subscription, read_status
from shared.errors import Rejected

YES = frozenset({"t", "true", "1", "yes", "y", "subscribed", "opted in", "opted_in"})
NO = frozenset({
    "f", "false", "0", "no", "n", "unsubscribed", "not subscribed", "not_subscribed", "opted out",
    "opted_out", "never subscribed", "never_subscribed", "disabled", "blocked",
})  # fmt: skip
NOT_SUBSCRIBED = Subscription("default", "not_subscribed")


class RowState(NamedTuple):
    """A row's state. `is_stated`: some column has it."""

    status: Subscription
    state: str
    reason: str | None
    is_stated: bool


def read_state(row: Row) -> RowState:
    """Return the state; one column is enough for unsubscribed. Raises Rejected."""
    # An unsubscribed browser must never be imported as subscribed, so a bad column rejects the row.
    types = find(row, "types")
    status = read_status(whole(types)) if types else None
    if types and status is None:
        raise Rejected("notification_types: must be a number", code="status")
    words = [_yes_or_no(text, "subscribed") for text in texts(row, "subscribed")]
    if False in words and (status is None or status.state == "subscribed"):
        status = NOT_SUBSCRIBED
    is_stated = status is not None or bool(words)
    status = status or SUBSCRIBED
    invalid = find(row, "invalid")
    is_invalid = bool(invalid) and _yes_or_no(invalid, "invalid_identifier")
    if status.state == "subscribed" and is_invalid:
        return RowState(status, "invalid", "invalid_identifier", is_stated=True)
    return RowState(status, status.state, status.reason, is_stated)


def _yes_or_no(text: str, field: str) -> bool:
    """Read a yes or no. Raises Rejected."""
    word = whole(unquote(text)).lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise Rejected(f"{field}: must be yes or no", code="status")
