"""Fields of a trigger that only Carillon's own triggers have."""

from __future__ import annotations

from sender_service.models.trigger import Terms
from shared.errors import FieldError, InvalidPayload

CODE = "reserved"
_SCENARIO = FieldError("scenario", CODE, "is set by Carillon only: scenarios trigger their sends")
_PRIORITY = FieldError("priority", CODE, "triggered is for the sends of scenarios only")


def refuse_reserved(terms: Terms) -> None:
    """Raise InvalidPayload for a trigger that claims to be a scenario's."""
    errors = [_SCENARIO] if terms.scenario is not None else []
    errors += [_PRIORITY] if terms.priority == "triggered" else []
    if errors:
        first = errors[0]
        raise InvalidPayload(f"{first.field}: {first.message}", code=CODE, errors=errors)
