"""Answers of the ops API, read by its own models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Answer(Generic[M]):
    """An answer as its model, and as it came: `--json` prints that, with keys of a newer server."""

    body: M
    json: Any


class UnknownAnswer(Exception):
    """An answer that the command can't read: its server is of another version, or none of ours."""


def to_answer(model: type[M], answer: httpx.Response) -> Answer[M]:
    """Read an answer as `model`. Raises UnknownAnswer."""
    json = read_json_answer(answer)
    try:
        return Answer(model.model_validate(json), json)
    except ValidationError as exc:
        place = ".".join(str(step) for step in exc.errors(include_input=False)[0]["loc"])
        where = f" ({place})" if place else ""
        raise UnknownAnswer(
            f"the ops API answers in a shape that this command doesn't know{where}:"
            " is the sender of another version?"
        ) from None


def read_json_answer(answer: httpx.Response) -> Any:
    """Parse an answer's body. Raises UnknownAnswer."""
    try:
        return answer.json()
    except ValueError:
        raise UnknownAnswer("the ops API answers no JSON: is this the sender?") from None
