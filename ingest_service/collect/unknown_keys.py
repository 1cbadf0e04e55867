"""Keys and types of events that nothing reads, and the names that were meant.

Only bad events come here. Comparing names costs more than an event does, so how much of it a request
can cause is bounded: names are compared where they begin or end alike, keys for a few warnings only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

from pydantic import BaseModel

from ingest_service.collect.event_schemas import (
    EVENT_MODELS,
    Context,
    Envelope,
    Identify,
    Page,
    Purchase,
    Transaction,
)
from ingest_service.parsing.field_notes import (
    MAX_EVENT_FINDINGS,
    MAX_KEYS,
    MOST_LETTERS,
    FieldNotes,
    UnknownKey,
    note_unknown,
)
from shared.errors import FieldError, InvalidPayload
from shared.nearest import did_you_mean, is_near

MISSING = "missing"  # pydantic's type of a required field that isn't there
MOST_HINTS = 10  # of a request: whoever sees them mends the rest too
ALIKE = 2  # letters at the beginning or the end that a slip leaves as they are
KEPT = 1_024
# What is read by hand, beside the fields of the models.
_READ_TOO: dict[type[BaseModel], frozenset[str]] = {
    Envelope: frozenset({"sentAt"}),  # of a request that is one event
    Identify: frozenset({"loginHash"}),
    Purchase: frozenset({"transaction", "basketItems"}),
}
_SEPARATORS = str.maketrans("", "", "_-.: ")


@lru_cache(64)
def names_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the keys that a model's objects may have."""
    own = {field.alias or name for name, field in model.model_fields.items()}
    return frozenset(own | _READ_TOO.get(model, frozenset()))


def note_unknown_parts(notes: FieldNotes, raw: dict[str, Any], envelope: Envelope) -> None:
    """Note what isn't read of an event, its page and its context. Nearly free where all is."""
    if len(raw) != len(envelope.__pydantic_fields_set__):
        note_unknown(notes, raw, names_of(Envelope))
    page, context = envelope.page, envelope.context
    if page is not None and len(raw["page"]) != len(page.__pydantic_fields_set__):
        note_unknown(notes, raw["page"], names_of(Page), "page.")
    if context is not None and len(raw["context"]) != len(context.__pydantic_fields_set__):
        note_unknown(notes, raw["context"], names_of(Context), "context.")


def note_unknown_data(notes: FieldNotes, data: dict[str, Any], shape: BaseModel) -> None:
    """Note what isn't read of an event's data; of lines their reader does."""
    order = data.get("transaction")
    known = names_of(type(shape))
    note_unknown(notes, data, known, "data.")
    if isinstance(order, dict) and "transaction" in known:
        among = known if isinstance(shape, Purchase) else names_of(Transaction)
        note_unknown(notes, order, among, "data.transaction.")


def add_hints(findings: Iterable[FieldError]) -> dict[FieldError, FieldError]:
    """Return the first unknown keys, each with a message that names the key that was meant."""
    unknown = dict.fromkeys(one for one in findings if isinstance(one, UnknownKey))
    return {
        one: replace(one, message=one.message + did_you_mean(one.key, sorted(one.known)))
        for one in islice(unknown, MOST_HINTS)
    }


def explain_missing(
    refusal: InvalidPayload, raw: dict[str, Any], model: type[BaseModel]
) -> InvalidPayload:
    """Return the refusal; of a missing field it also names the key that was meant for it."""
    first = next(iter(refusal.errors), None)
    if first is None or first.code != MISSING:
        return refusal
    known = names_of(model)
    wanted = first.field.rpartition(".")[2]
    unknown = [key for key in islice(raw, MAX_KEYS) if key not in known]
    meant = next((key for key in unknown[:MAX_EVENT_FINDINGS] if _is_slip(key, wanted)), None)
    if meant is None:
        return refusal
    message = f"is missing; `{meant}` is unknown, did you mean `{wanted}`?"
    errors = [FieldError(first.field, first.code, message), *refusal.errors[1:]]
    return InvalidPayload(f"{first.field}: {message}", code=refusal.code, errors=errors)


@lru_cache(KEPT)
def meant_type(name: str) -> str | None:
    """Return the known type that an unknown one is a slip of."""
    return next((known for known in EVENT_MODELS if _is_slip(name, known)), None)


def explain_type(refusal: InvalidPayload, name: object) -> InvalidPayload:
    """Return the refusal; of a type that can be none it also names the known one that was meant."""
    first = next(iter(refusal.errors), None)
    is_type = first is not None and first.field == "type"
    if first is None or not is_type or not isinstance(name, str) or len(name) > MOST_LETTERS:
        return refusal
    meant = meant_type(name)
    if meant is None:
        return refusal
    message = f"{first.message}; did you mean `{meant}`?"
    errors = [FieldError(first.field, first.code, message), *refusal.errors[1:]]
    return InvalidPayload(f"type: {message}", code=refusal.code, errors=errors)


def _is_slip(name: str, known: str) -> bool:
    """Tell whether they differ in case, separators, or in two letters of which none is at one end."""
    one, other = _bare(name), _bare(known)
    if one == other:
        return True
    is_alike = one[:ALIKE] == other[:ALIKE] or one[-ALIKE:] == other[-ALIKE:]
    return is_alike and is_near(one, other)


def _bare(name: str) -> str:
    return name[: MOST_LETTERS + 1].translate(_SEPARATORS).casefold()
