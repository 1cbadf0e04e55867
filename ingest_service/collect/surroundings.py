"""An event's surroundings, its page and context: fields that are no values are left out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from ingest_service.parsing.field_notes import FieldNotes
from ingest_service.parsing.page_urls import mask_url
from shared.identity_values import NO_VALUE, NO_VALUE_MESSAGE, NO_VALUE_STARTS, is_no_value
from shared.locales import known_language, known_time_zone
from shared.models.app import App

_PLACES = {
    "timeZone": (known_time_zone, ("time_zone", "is no time zone, as Europe/Prague is")),
    "language": (known_language, ("language", "is no language, as cs or en-US is")),
}


def _set_fields(part: BaseModel | None) -> dict[str, Any]:
    """Return the fields that have a value; all are strings, so no dump is needed."""
    return {} if part is None else {k: v for k, v in part.__dict__.items() if v is not None}


def read_page(part: BaseModel | None, app: App, notes: FieldNotes) -> dict[str, Any]:
    """Return the page without addresses that are no values, and without secrets in the others."""
    page = _set_fields(part)
    if url := page.get("url"):
        _keep_address(page, "url", url, app, notes)
    if referrer := page.get("referrer"):
        _keep_address(page, "referrer", referrer, app, notes)
    return page


def _keep_address(
    page: dict[str, Any], field: str, address: str, app: App, notes: FieldNotes
) -> None:
    if address[0] in NO_VALUE_STARTS and is_no_value(address):
        del page[field]
        notes.leave_out(f"page.{field}", NO_VALUE, NO_VALUE_MESSAGE)
    else:
        page[field] = mask_url(address, app.masked_parameters)


@lru_cache(4_096)  # all visitors of a shop have few of them
def _find_fault(field: str, value: str) -> tuple[str, str] | None:
    """Return the code and message of a zone or language that can't be used, None of a usable one."""
    find, unknown = _PLACES[field]
    if is_no_value(value):  # "nan" and "nil" are languages too
        return NO_VALUE, NO_VALUE_MESSAGE
    return unknown if find(value) is None else None


def read_context(part: BaseModel | None, notes: FieldNotes, *, crawler: bool) -> dict[str, Any]:
    """Return the context without fields that are no values, and with the mark of crawlers."""
    context = _set_fields(part)
    for field in _PLACES:
        value = context.get(field)
        if value and (fault := _find_fault(field, value)) is not None:
            del context[field]
            notes.leave_out(f"context.{field}", *fault)
    # A sender's own `crawler` was dropped, since it isn't declared.
    return {**context, "crawler": True} if crawler else context
