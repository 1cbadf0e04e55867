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
    """One thing wrong with one field: `field` is a dotted path, `message` never echoes the value."""

    field: str
    code: str
    message: str


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


class Rejected(CarillonError):
    """The same input will fail again."""

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
    """The same input may work later."""

    code = "unavailable"
    status = 503
    retry_after_seconds = 1


class LogUnavailable(Unavailable):
    code = "kafka_unavailable"


class StoreUnavailable(Unavailable):
    code = "mongo_unavailable"
