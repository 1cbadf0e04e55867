"""Strict reading of what people write: an unknown key is refused by its path, and a name suggested.

Records on topics and stored documents are read by the same models, which ignore unknown keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import JSONDecoder
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from shared.errors import FieldError, InvalidPayload
from shared.models.sentences import sentence_of
from shared.nearest import did_you_mean, is_near
from shared.texts import shorten

MAX_FINDINGS = 100  # that an answer lists: each may be as long as a path
MOST_STEP = 64  # letters of a key in a path: its author knows the rest
EXTRA_FORBIDDEN = "extra_forbidden"
WHOLE = "body"  # as a field's name: the value itself is wrong, nothing in it
A_KEY = "[key]"  # Pydantic's last step, where the key itself is wrong
# Findings that name the whole refusal too.
REFUSAL_CODES = frozenset(
    {"time_zone_missing", "steps_too_long", "emptied_needs_basket", "silence_needs_moment",
     "segment_needs_if"}
)  # fmt: skip

M = TypeVar("M", bound=BaseModel)
Finding = dict[str, Any]


def validate_strictly(model: type[M], value: object, *, prefix: str = "") -> M:
    """Return `value` as `model`. Raises InvalidPayload, which names fields and unknown keys."""
    try:
        return model.model_validate(value, extra="forbid")
    except ValidationError as exc:
        raise to_invalid(exc, model, prefix=prefix) from None


def validate_tolerantly(model: type[M], value: object) -> tuple[M, tuple[FieldError, ...]]:
    """Return `value` as `model`, and the unknown keys in it, each kind once.

    Raises InvalidPayload for everything else, and for a key that is near to a known one.
    """
    # The good case costs no more than a strict reading.
    try:
        return model.model_validate(value, extra="forbid"), ()
    except ValidationError as exc:
        unknown = _distinct(exc)
    refused = [one for one in unknown if _is_slip(one, model)]
    if refused:
        raise _invalid([to_error(one, model) for one in refused], len(refused))
    if len(unknown) > MAX_FINDINGS:
        raise InvalidPayload(f"more than {MAX_FINDINGS} keys are unknown", code="unknown_keys")
    try:
        read = model.model_validate(value)
    except ValidationError as exc:
        raise to_invalid(exc, model) from None
    return read, tuple(to_error(one, model) for one in unknown)


def to_invalid(
    error: ValidationError, model: type[BaseModel] | None = None, *, prefix: str = ""
) -> InvalidPayload:
    """Return Pydantic's first findings as ours, and in the message how many more there are.

    It never holds the value, which may be personal.
    """
    found = [to_error(finding, model, prefix) for finding in first_findings(error)]
    return _invalid(found, error.error_count())


def _invalid(found: Sequence[FieldError], count: int) -> InvalidPayload:
    first = found[0]
    more = f" (and {count - len(found)} findings more)" if count > len(found) else ""
    code = first.code if first.code in REFUSAL_CODES else None
    return InvalidPayload(f"{first.field}: {first.message}{more}", code=code, errors=found)


def to_error(finding: Finding, model: type[BaseModel] | None, prefix: str = "") -> FieldError:
    path = prefix + ".".join(_cut(step) for step in finding["loc"] if step != A_KEY)
    if finding["type"] != EXTRA_FORBIDDEN:
        return FieldError(path.rstrip(".") or WHOLE, finding["type"], message_of(finding))
    known = known_names(model, finding["loc"]) if model is not None else []
    return FieldError(path, "unknown_key", f"is unknown{did_you_mean(_last(finding), known)}")


def message_of(finding: Finding) -> str:
    """Return what is wrong, in a sentence of ours."""
    return sentence_of(finding["type"], str(finding["msg"]), finding.get("ctx"))


def first_findings(error: ValidationError, most: int = MAX_FINDINGS) -> Iterator[Finding]:
    """Yield the first `most`."""
    # A small body may have a million, so not all are made objects at once.
    if error.error_count() <= MAX_FINDINGS:
        for one in error.errors(include_url=False, include_input=False):
            yield {**one}  # with its context, which holds the model's limits
        return
    text = error.json(indent=None, include_url=False, include_input=False)
    at = 1
    decode = JSONDecoder().raw_decode
    for _ in range(min(most, error.error_count())):
        finding, end = decode(text, at)
        yield finding
        at = end + 1  # past the comma


def known_names(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Return the keys that an object at this place may have."""
    models = {model}
    for step in place[:-1]:
        models = {inner for one in models for inner in _below(one, step)} or models
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _below(model: type[BaseModel], step: str | int) -> Iterator[type[BaseModel]]:
    """Yield the models of a field's objects, also in a list, a union, or by name."""
    for name, field in model.model_fields.items():
        if step in (field.alias, name):
            yield from models_of(field.annotation)


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_of(inner)


def _distinct(error: ValidationError) -> list[Finding]:
    """Return each unknown key once, wherever in a list it stands."""
    # Ten thousand lines have the same keys.
    first: dict[tuple[str, ...], Finding] = {}
    for finding in first_findings(error, error.error_count()):
        if finding["type"] == EXTRA_FORBIDDEN:
            kind = tuple(step for step in finding["loc"] if isinstance(step, str))
            first.setdefault(kind, finding)
        if len(first) > MAX_FINDINGS:
            break
    return list(first.values())


def _is_slip(finding: Finding, model: type[BaseModel]) -> bool:
    return any(is_near(_last(finding), known) for known in known_names(model, finding["loc"]))


def _last(finding: Finding) -> str:
    return str(finding["loc"][-1])


def _cut(step: str | int) -> str:
    return shorten(str(step), MOST_STEP)
