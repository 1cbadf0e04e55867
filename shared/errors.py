"""The failure model, drawn once.

    CarillonError              code, message
      Rejected                 the same input will fail again
        InvalidPayload         it does not have the shape (422); names its fields
        Unauthorized           no, or an unknown, key or token (401)
        Forbidden              known, but not allowed to (403)
        NotFound               (404)
        Conflict               another state or content than the caller assumed (409)
        TooLarge               (413)
      Unavailable              the same input may work later (503)
        LogUnavailable         Kafka
        StoreUnavailable       MongoDB

The only question a caller asks: can a retry help? `code` is the response's code, the log field and
the metric label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """Error of one field. `field` is a dotted path; `message` never repeats the value."""

    field: str
    code: str
    message: str


@dataclass(frozen=True)
class ServerAnswer:
    """Error code of a server, and the code's name where it has one."""

    code: int
    name: str | None


class CarillonError(Exception):
    """Root of the tree."""

    code = "error"
    status = 500

    def __init__(
        self, message: str, *, code: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)
        if code is not None:
            self.code = code

    @property
    def reason(self) -> str:
        """Return the code, and more that a health report may state."""
        return self.code

    @property
    def log_fields(self) -> dict[str, object]:
        """Return the fields of a log line: codes only, for a text may hold data."""
        return {"code": self.code}


class Rejected(CarillonError):
    """Error of an input that will fail again."""

    code = "rejected"
    status = 400


class InvalidPayload(Rejected):
    code = "invalid"
    status = 422


class Unauthorized(Rejected):
    code = "unauthorized"
    status = 401


class Forbidden(Rejected):
    code = "forbidden"
    status = 403


class NotFound(Rejected):
    code = "not_found"
    status = 404


class Conflict(Rejected):
    code = "conflict"
    status = 409


class TooLarge(Rejected):
    code = "too_large"
    status = 413


class Unavailable(CarillonError):
    """Error after which the same input may work later."""

    code = "unavailable"
    status = 503
    retry_after_seconds = 1


class LogUnavailable(Unavailable):
    code = "kafka_unavailable"


class StoreUnavailable(Unavailable):
    code = "mongo_unavailable"

    def __init__(
        self, message: str, *, code: str | None = None, answer: ServerAnswer | None = None
    ) -> None:
        self.answer = answer
        number = f" {answer.code} {answer.name or ''}".rstrip() if answer else ""
        super().__init__(message + number, code=code)

    @property
    def reason(self) -> str:
        if self.answer is None:
            return self.code
        return (
            f"{self.code} ({self.answer.code}{f' {self.answer.name}' if self.answer.name else ''})"
        )

    @property
    def log_fields(self) -> dict[str, object]:
        if self.answer is None:
            return super().log_fields
        return {**super().log_fields, "mongoCode": self.answer.code, "codeName": self.answer.name}
