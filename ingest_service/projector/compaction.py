"""Bounds of a browser's epochs: the oldest are joined to later ones of the same login, or dropped. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from ingest_service.projector.contribution import join_epochs
from ingest_service.projector.visitor import Epoch

MAX_EPOCHS = 32  # a shared kiosk's browser: older ones are joined where they have one person
MAX_ENDED_EPOCHS_BYTES = 512 * 1024  # of ended epochs, as JSON: a hundred browsers are read at once


def compact(epochs: list[Epoch]) -> bool:
    """Drop the oldest epochs while there are too many; return whether any was dropped.

    What a dropped epoch contributed goes to the next one of its login, if there is one.
    """
    count = len(epochs)
    while len(epochs) > MAX_EPOCHS or _size(epochs[:-1]) > MAX_ENDED_EPOCHS_BYTES:
        oldest = epochs.pop(0)
        heir = next((epoch for epoch in epochs if _is_one_person(epoch, oldest)), None)
        if heir is not None:
            heir.contribution = join_epochs([oldest.contribution, heir.contribution])
            heir.was_proven |= oldest.has_proof
    return len(epochs) < count


def _size(epochs: Sequence[Epoch]) -> int:
    """Return the bytes of the contributions, as JSON."""
    return len(orjson.dumps([epoch.contribution for epoch in epochs])) if epochs else 0


def _is_one_person(epoch: Epoch, other: Epoch) -> bool:
    return epoch.login is not None and epoch.login == other.login
