"""The public facts of a spool: its folder's name, which outlives processes, and event times."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from shared.kafka.records import OutgoingRecord
from shared.models.event import Event
from shared.mongo.collections import INGEST
from shared.processes import unique_name

FILE = "process"


def spool_name(folder: Path) -> str:
    """Return the folder's name; the first call makes it.

    A name that can't be written to disk lasts until the next start.
    """
    file = folder / FILE
    try:
        if file.exists() and (known := file.read_text().strip()):
            return known
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{INGEST}-{uuid.uuid4().hex}"
        beside = file.with_suffix(".new")
        beside.write_text(f"{name}\n")
        beside.replace(file)
    except OSError:
        return unique_name(INGEST)
    return name


def received_at(record: OutgoingRecord) -> datetime | None:
    """Return the time when ingest received the event; None if the event can't be read."""
    try:
        return Event.model_validate_json(record.value).received_at
    except ValidationError:
        return None
