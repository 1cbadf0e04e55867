"""Bodies of requests about people: a search by one name, the undoing of a merge."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, model_validator

from sender_service.models.recipient import PersonId, VisitorId
from sender_service.models.trigger import Name
from sender_service.store.person_data import NameKind
from shared.models.documented import exactly_one
from shared.models.sentences import text_like
from shared.models.wire import Wire
from shared.names import Email, Login, PlayerId

NAME_KINDS: tuple[NameKind, ...] = ("login", "visitor", "player", "email", "person")


class PersonQuery(Wire):
    """Body of a search: an app and exactly one of NAME_KINDS."""

    model_config = ConfigDict(
        json_schema_extra=exactly_one(
            *NAME_KINDS, examples=[{"app": "demo", "login": "jana@shop.example"}]
        )
    )

    app: Name
    login: Login | None = None
    visitor: VisitorId | None = None
    player: PlayerId | None = None
    email: Email | None = None
    person: PersonId | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.names) != 1:
            raise ValueError(f"give exactly one of {', '.join(NAME_KINDS)}")
        return self

    @property
    def names(self) -> list[tuple[NameKind, str]]:
        return [(k, name) for k in NAME_KINDS if (name := getattr(self, k)) is not None]


class MergeRequest(Wire):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"merge": "5f0c1d9b6a3e4f7d8c2b1a0e9d8c7b6a"}]}
    )

    merge: Annotated[
        str,
        text_like(
            r"^[0-9A-Za-z-]{8,64}$",
            "must be the id of a merge as `person export` shows it,"
            " as 5f0c1d9b6a3e4f7d8c2b1a0e9d8c7b6a",
        ),
    ]
