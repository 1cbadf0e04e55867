"""`/v1/people`: search, outcomes in sends, export, erasure, undoing of merges.

Logins, emails and visitor ids come in bodies only: paths and query strings end up in logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, model_validator

from sender_service.accounting.explain import OutcomeExplainer
from sender_service.models.trigger import Name, VisitorId
from sender_service.ops.auth import needs, require_app, sees_app
from sender_service.ops.bodies import json_body
from sender_service.ops.campaigns import require_known_app
from sender_service.ops.examples import ERASURE, PERSON_FOUND, UNDONE_MERGE, WHY, answers
from sender_service.ops.export import PersonExporter
from sender_service.ops.naming import ID_OR_PREFIX, PERSON_NAME, Names, no_such_person, not_an_id
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.people import (
    ErasureResponse,
    ExplanationResponse,
    OutcomeResponse,
    PersonResponse,
    UndoneMergeResponse,
)
from sender_service.privacy.requests import ErasureRequester
from sender_service.store.persons import NameKind, PersonNames, PersonReader
from shared.apps import AppRegistry
from shared.documents.profile import Profile
from shared.errors import InvalidPayload, NotFound
from shared.models.documented import exactly_one
from shared.models.sentences import described, text_like
from shared.models.wire import Wire
from shared.names import Email, Login, PlayerId

PersonId = Annotated[
    str,
    Path(
        description=f"the person's, as search gives it: {ID_OR_PREFIX}",
        pattern=described(r"^[0-9A-Za-z-]{6,64}$", not_an_id(*PERSON_NAME)),
    ),
]
NAME_KINDS: tuple[NameKind, ...] = ("login", "visitor", "player", "email")


class PersonQuery(Wire):
    """Body of a search: an app and exactly one of `login`, `visitor`, `player`, `email`."""

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

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.names) != 1:
            raise ValueError("give exactly one of login, visitor, player, email")
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


@dataclass(frozen=True)
class PeopleTools:
    people: PersonReader
    why: OutcomeExplainer
    eraser: ErasureRequester
    exporter: PersonExporter
    apps: AppRegistry
    names: Names


def people_router(tools: PeopleTools) -> APIRouter:
    router = APIRouter(prefix="/v1/people", tags=["people"])
    _add_readers(router, tools)
    _add_changes(router, tools)
    return router


def _add_readers(router: APIRouter, tools: PeopleTools) -> None:
    @router.post("/search", responses=answers({"items": [PERSON_FOUND]}))
    @needs("read")
    async def search(
        request: Request, body: Annotated[PersonQuery, json_body(PersonQuery)]
    ) -> Items[PersonResponse]:
        """Search people by login, visitor id, player id or email; last seen first."""
        require_app(request, body.app)
        await require_known_app(tools.apps, body.app)
        request.scope["audit_target"] = {"app": body.app}
        ((kind, name),) = body.names
        found = await tools.people.search(body.app, kind, name)
        return Items(items=[to_person_response(profile) for profile in found])

    @router.get("/{person}", responses=answers(PERSON_FOUND))
    @needs("read", audited=True)
    async def get_person(request: Request, person: PersonId) -> PersonResponse:
        """Return a person, also by the id of one that was merged into it."""
        return to_person_response(await _profile(tools, request, person))

    @router.get("/{person}/why", responses=answers(WHY))
    @needs("read")
    async def why(
        request: Request, person: PersonId, send: Annotated[str | None, Query()] = None
    ) -> ExplanationResponse:
        """Explain why a person got a push or not: the outcome of each player in a send, or without
        `send` in the app's newest ones. `sendsSearched`: the number of sends that were searched."""
        known = await _known(tools, request, person)
        if send is not None:
            name = await tools.names.send(request, send)
            return ExplanationResponse(items=_outcomes(await tools.why.of_send(known, name)))
        searched, found = await tools.why.recent(known)
        return ExplanationResponse(items=_outcomes(found), sends_searched=searched)

    @router.get("/{person}/export")
    @needs("admin", audited=True)
    async def export(request: Request, person: PersonId) -> Response:
        """Stream all data of the person: profile, players, browsers, merges; outcomes, interactions and
        rendered texts in sends; triggers, parts, caps, parked events, dead letters; audit entries.
        It ends with `complete`: without that it was cut off."""
        known = await _known(tools, request, person)
        return StreamingResponse(tools.exporter.stream(known), media_type="application/json")


def _add_changes(router: APIRouter, tools: PeopleTools) -> None:
    @router.post("/{person}/erase", status_code=202, responses=answers(ERASURE, 202))
    @needs("admin")
    async def erase(request: Request, person: PersonId) -> ErasureResponse:
        """Erase a person: data in ingest and sender is blanked within a minute; sums stay.
        `events`: the ids of the first 1,000 of `count`."""
        profile = await _profile(tools, request, person)
        published = await tools.eraser.erase(profile)
        return ErasureResponse(person=profile["_id"], events=published.ids, count=published.count)

    @router.post("/{person}/merges/undo", status_code=202, responses=answers(UNDONE_MERGE, 202))
    @needs("admin")
    async def undo_merge(
        request: Request, person: PersonId, body: Annotated[MergeRequest, json_body(MergeRequest)]
    ) -> UndoneMergeResponse:
        """Undo a merge of two people, who never merge again."""
        profile = await _profile(tools, request, person)
        merge = await tools.people.merge(profile, body.merge)
        if merge is None:
            raise InvalidPayload("merge: is none of this person's", code="unknown_merge")
        request.scope["audit_target"] = {"merge": body.merge}
        event = await tools.eraser.undo(profile, merge)
        return UndoneMergeResponse(person=profile["_id"], event=event)


async def _profile(tools: PeopleTools, request: Request, given: str) -> Profile:
    """Return the profile. Raises NotFound, also for another app's; Conflict where several match."""
    person = await tools.names.person(request, given)
    profile = await tools.people.profile(person)
    if profile is None or not sees_app(request, profile["app"]):
        raise no_such_person(given)
    request.path_params["person"] = person  # for the audit trail
    return profile


async def _known(tools: PeopleTools, request: Request, person: str) -> PersonNames:
    profile = await _profile(tools, request, person)
    known = await tools.people.known(str(profile["_id"]))
    if known is None:
        raise NotFound("no such person", code="unknown_person")
    return known


def to_person_response(profile: Profile) -> PersonResponse:
    names = ("app", "login", "email", "visitors", "players", "aliases", "lastSeenAt",
             "timeZone", "language", "browser")  # fmt: skip
    fields = {name: profile.get(name) for name in names}
    return PersonResponse(id=profile["_id"], **fields)


def _outcomes(found: Sequence[dict[str, Any]]) -> list[OutcomeResponse]:
    return [OutcomeResponse(**each) for each in found]
