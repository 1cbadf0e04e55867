"""Body of every error."""

from __future__ import annotations

from sender_service.ops.responses.base import ResponseModel


class FieldProblem(ResponseModel):
    field: str
    code: str
    message: str


class Problem(ResponseModel):
    """Body of every error. The first of `errors` is in `message`, too."""

    code: str
    message: str
    errors: list[FieldProblem] = []
