"""The error for an app that doesn't exist.

Only the API adds known apps: it knows the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import FieldError, NotFound
from shared.nearest import suggest


class UnknownApp(NotFound):
    """A request that names an unknown app, in its path or in a `field` of its body (422)."""

    code = "unknown_app"

    def __init__(self, app: str, field: str | None = None, hint: str = "") -> None:
        message = f"no such app{hint}"
        errors = [] if field is None else [FieldError(field, self.code, message)]
        super().__init__(f"{field}: {message}" if field else message, errors=errors)
        self.app = app
        self.field = field
        self.status = 404 if field is None else 422

    def among(self, known: Sequence[str]) -> UnknownApp:
        """Return the same error with the nearest of these apps, else all of them if they are few."""
        return UnknownApp(self.app, self.field, suggest(self.app, known))
