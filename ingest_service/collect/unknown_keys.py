"""Unknown keys and types of events, and hints of the names that were probably meant.

Only bad events come here. Comparing names costs more than an event does, so the cost per request is
bounded: only names that begin or end alike are compared, and keys for a few warnings only.
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
    MAX_CHECKED_KEYS,
    MAX_EVENT_FINDINGS,
    MAX_PATH_KEY_LENGTH,
    FieldNotes,
    UnknownKey,
    note_unknown,
)
from shared.errors import FieldError, InvalidPayload
from shared.nearest import did_you_mean, is_near

MISSING = "missing"  # pydantic's type of a required field that isn't there
MOST_HINTS = 10  # per request: enough to find the others
ALIKE = 2  # letters at the beginning or the end that a typo keeps
MAX_REMEMBERED_KEYS = 1_024
# Keys that are read beside the fields of the models.
_READ_TOO: dict[type[BaseModel], frozenset[str]] = {
    Envelope: frozenset({"sentAt", "login"}),  # of a request that is one event; of servers
    Identify: frozenset({"loginHash"}),
    Purchase: frozenset({"transaction", "basketItems"}),
}
BESIDE_VISITOR = "is left out: visitorId names the browser; an identify says whose it is"
_SEPARATORS = str.maketrans("", "", "_-.: ")


@lru_cache(64)
def names_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the keys that a model's objects may have."""
    own = {field.alias or name for name, field in model.model_fields.items()}
    return frozenset(own | _READ_TOO.get(model, frozenset()))


def note_unknown_parts(notes: FieldNotes, raw: dict[str, Any], envelope: Envelope) -> None:
    """Note unknown keys of an event, its page and its context."""
    if len(raw) != len(envelope.__pydantic_fields_set__):
        note_unknown(notes, raw, names_of(Envelope))
        if raw.get("login") is not None:
            notes.leave_out("login", "login_beside_visitor", BESIDE_VISITOR)
    page, context = envelope.page, envelope.context
    if page is not None and len(raw["page"]) != len(page.__pydantic_fields_set__):
        note_unknown(notes, raw["page"], names_of(Page), "page.")
    if context is not None and len(raw["context"]) != len(context.__pydantic_fields_set__):
        note_unknown(notes, raw["context"], names_of(Context), "context.")


def note_unknown_data(notes: FieldNotes, data: dict[str, Any], shape: BaseModel) -> None:
    """Note unknown keys of an event's data, except in lines, whose reader notes them."""
    order = data.get("transaction")
    known = names_of(type(shape))
    note_unknown(notes, data, known, "data.")
    if isinstance(order, dict) and "transaction" in known:
        among = known if isinstance(shape, Purchase) else names_of(Transaction)
        note_unknown(notes, order, among, "data.transaction.")


def add_hints(findings: Iterable[FieldError]) -> dict[FieldError, FieldError]:
    """Return the first unknown keys, each with a hint of the key that was probably meant."""
    unknown = dict.fromkeys(one for one in findings if isinstance(one, UnknownKey))
    return {
        one: replace(one, message=one.message + did_you_mean(one.key, sorted(one.known)))
        for one in islice(unknown, MOST_HINTS)
    }


def explain_missing(
    error: InvalidPayload, raw: dict[str, Any], model: type[BaseModel]
) -> InvalidPayload:
    """Return the error; for a missing field with a hint of the unknown key meant for it."""
    first = next(iter(error.errors), None)
    if first is None or first.code != MISSING:
        return error
    known = names_of(model)
    required = first.field.rpartition(".")[2]
    unknown = [key for key in islice(raw, MAX_CHECKED_KEYS) if key not in known]
    meant = next((key for key in unknown[:MAX_EVENT_FINDINGS] if _is_typo(key, required)), None)
    if meant is None:
        return error
    message = f"is missing; `{meant}` is unknown, did you mean `{required}`?"
    errors = [FieldError(first.field, first.code, message), *error.errors[1:]]
    return InvalidPayload(f"{first.field}: {message}", code=error.code, errors=errors)


@lru_cache(MAX_REMEMBERED_KEYS)
def meant_type(name: str) -> str | None:
    """Return the known type that an unknown one is a typo of, if any."""
    return next((known for known in EVENT_MODELS if _is_typo(name, known)), None)


def explain_type(error: InvalidPayload, name: object) -> InvalidPayload:
    """Return the error; for an invalid type with a hint of the known type that was meant."""
    first = next(iter(error.errors), None)
    is_type = first is not None and first.field == "type"
    if first is None or not is_type or not isinstance(name, str) or len(name) > MAX_PATH_KEY_LENGTH:
        return error
    meant = meant_type(name)
    if meant is None:
        return error
    message = f"{first.message}; did you mean `{meant}`?"
    errors = [FieldError(first.field, first.code, message), *error.errors[1:]]
    return InvalidPayload(f"type: {message}", code=error.code, errors=errors)


def _is_typo(name: str, known: str) -> bool:
    """Check whether a name is a typo of a known one.

    They differ in case, separators, or in two letters of which none is at one end.
    """
    one, other = _bare(name), _bare(known)
    if one == other:
        return True
    is_alike = one[:ALIKE] == other[:ALIKE] or one[-ALIKE:] == other[-ALIKE:]
    return is_alike and is_near(one, other)


def _bare(name: str) -> str:
    return name[: MAX_PATH_KEY_LENGTH + 1].translate(_SEPARATORS).casefold()
