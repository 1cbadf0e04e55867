"""What names an app that there isn't. Which ones there are, only the API tells: it knows who asks."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import FieldError, NotFound
from shared.nearest import suggest


class UnknownApp(NotFound):
    """Stands in a path, or in a `field` of a body (422 then)."""

    code = "unknown_app"

    def __init__(self, app: str, field: str | None = None, hint: str = "") -> None:
        message = f"no such app{hint}"
        errors = [] if field is None else [FieldError(field, self.code, message)]
        super().__init__(f"{field}: {message}" if field else message, errors=errors)
        self.app = app
        self.field = field
        self.status = 404 if field is None else 422

    def among(self, known: Sequence[str]) -> UnknownApp:
        """Return the same with the nearest of these apps, else with all of them, as far as they are few."""
        return UnknownApp(self.app, self.field, suggest(self.app, known))
