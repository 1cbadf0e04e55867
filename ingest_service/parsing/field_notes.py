"""Notes of fields that were left out: a bad optional field doesn't reject its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ingest_service.parsing.normalise import is_blank
from shared.errors import FieldError, InvalidPayload
from shared.models.sentences import sentence_of

MAX_EVENT_FINDINGS = 5  # per event: enough to find the others
MAX_CHECKED_KEYS = 32  # of an object that are checked for unknown ones
MAX_PATH_KEY_LENGTH = 64  # of a key in a path: enough to recognize it
ZONE_MISSING = ("time_zone_missing", "has no time zone, as in …+01:00 or …Z: it is taken as UTC")
ALIASES = {"items": "basketItems"}  # fields that models read under another name too
NESTED = "transaction"  # whose fields a purchase reads as its own
_FINDING = itemgetter("loc", "type", "msg")  # of Pydantic's
M = TypeVar("M", bound=BaseModel)
Path = tuple[int | str, ...]


@dataclass(frozen=True)
class UnknownKey(FieldError):
    """A finding of an unknown key, with the keys that are known there."""

    key: str = ""
    known: frozenset[str] = frozenset()


class FieldNotes:
    """The context of one event's validation: findings, and the lines that are read already."""

    __slots__ = ("found", "lines")

    def __init__(self) -> None:
        self.found: list[FieldError] = []
        self.lines: dict[int, list[dict[str, Any]]] = {}  # by the id of what they were read from

    def leave_out(self, field: str, code: str, message: str) -> None:
        self.add(FieldError(field, code, message))

    def add(self, finding: FieldError) -> None:
        """Note a finding once: a second validation finds the same again."""
        if len(self.found) < MAX_EVENT_FINDINGS and finding not in self.found:
            self.found.append(finding)


def note_unknown(
    notes: FieldNotes, raw: Mapping[Any, Any], known: frozenset[str], prefix: str = ""
) -> None:
    """Note unknown keys that have a value."""
    for key in islice(raw, MAX_CHECKED_KEYS):
        if key not in known and raw[key] is not None:
            name = key if len(key) <= MAX_PATH_KEY_LENGTH else f"{key[:MAX_PATH_KEY_LENGTH]}…"
            message = "is unknown and left out"
            notes.add(UnknownKey(f"{prefix}{name}", "unknown_key", message, key, known))


def validate_leniently(
    model: type[M],
    data: dict[str, Any],
    notes: FieldNotes,
    *,
    needed: frozenset[str] = frozenset(),
    prefix: str = "",
) -> M:
    """Validate, and validate again without wrong fields, unless they are needed.

    Lines are read once: the second validation finds them in the notes. Raises InvalidPayload.
    """
    try:
        return model.model_validate(data, context=notes)
    except ValidationError as exc:
        findings = _findings_by_path(exc, prefix)
    wrong = {path: found for path, found in findings.items() if not _is_absent(_find(data, path))}
    if any(path and path[0] in needed for path in wrong):
        raise _refusal(list(wrong.values()))
    for path in findings:
        data = _without(data, path)
    try:
        valid = model.model_validate(data, context=notes)
    except ValidationError as exc:
        again = _findings_by_path(exc, prefix)
        # Not a field that is only missing because its source was left out.
        still = [wrong.get(path, found) for path, found in again.items() if path in findings]
        raise _refusal(still or [*wrong.values()] or [*again.values()]) from exc
    for found in wrong.values():
        notes.leave_out(found.field, found.code, found.message)
    return valid


def _findings_by_path(exc: ValidationError, prefix: str) -> dict[Path, FieldError]:
    found: dict[Path, FieldError] = {}
    for error in exc.errors(include_url=False, include_input=False):
        path, kind, message = _FINDING(error)
        field = (prefix + ".".join(str(step) for step in path)).rstrip(".") or "body"
        found[path] = FieldError(field, kind, sentence_of(kind, message, error.get("ctx")))
    return found


def _refusal(findings: list[FieldError]) -> InvalidPayload:
    """Build the error of these findings, with the first one's code."""
    first = findings[0]
    return InvalidPayload(
        f"{first.field}: {first.message}", code=first.code, errors=findings[:MAX_EVENT_FINDINGS]
    )


def _is_absent(value: Any) -> bool:
    """Check whether a value is empty: a template's `""`, or PHP's `[]` for an empty object."""
    return is_blank(value) or value == []


def _find(data: Any, path: Path) -> Any:
    """Return the value at a path, None if there is none."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def _without(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy without the value at a path, under each of its names."""
    if not path:
        return data
    step, *rest = path
    inner = data.get(str(step))
    if rest and isinstance(inner, dict):
        return {**data, str(step): _without(inner, tuple(rest))}
    names = {step, ALIASES.get(str(step))}
    kept = {name: value for name, value in data.items() if name not in names}
    nested = kept.get(NESTED)
    if isinstance(nested, dict):
        kept[NESTED] = {name: value for name, value in nested.items() if name not in names}
    return kept
