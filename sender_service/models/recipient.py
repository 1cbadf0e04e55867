"""A recipient of a trigger's list: one name of a person, and variables of its own."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, StringConstraints, model_validator

from shared.models.documented import exactly_one
from shared.models.wire import Storable, Wire
from shared.names import Login, PlayerId, to_id

NAME_FIELDS = ("login", "visitor", "player", "person")  # of a recipient: it has one of them
# Which letters these ids may have is asked where names are left out, not of stored triggers.
VisitorId = Annotated[str, BeforeValidator(to_id), StringConstraints(min_length=1, max_length=64)]
PersonId = VisitorId


class Recipient(Wire):
    """A recipient: one of `login`, `visitor`, `player`, `person`, and variables.

    The variables override shared ones. `person` is a profile's id, or the id of a person that was
    merged into it.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one(*NAME_FIELDS))

    login: Login | None = None
    visitor: VisitorId | None = None
    player: PlayerId | None = None
    person: PersonId | None = None
    variables: Storable = {}

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in NAME_FIELDS) != 1:
            raise ValueError(f"give exactly one of {', '.join(NAME_FIELDS)}")
        return self

    @property
    def address(self) -> tuple[str, str]:
        """Kind, one of NAME_FIELDS, and value."""
        if self.login is not None:
            return "login", self.login
        if self.visitor is not None:
            return "visitor", self.visitor
        return ("player", self.player) if self.player is not None else ("person", self.person or "")
