"""`/v1/people`: search, outcomes in sends, export, erasure, undoing of merges.

Logins, emails and visitor ids come in bodies only: paths and query strings end up in logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from sender_service.accounting.explain import OutcomeExplainer
from sender_service.models.trigger import Name
from sender_service.ops.auth import needs, require_app, sees_app, set_audit_target
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import ERASURE, PERSON_FOUND, UNDONE_MERGE, WHY, answers
from sender_service.ops.export import PersonExporter
from sender_service.ops.naming import ID_OR_PREFIX, PERSON_NAME, Names, no_such_person, not_an_id
from sender_service.ops.person_requests import MergeRequest, PersonQuery
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.people import (
    ErasureResponse,
    ExplanationResponse,
    PersonResponse,
    UndoneMergeResponse,
    to_outcomes,
)
from sender_service.ops.scenario_why import ScenarioExplainer
from sender_service.ops.unknown_app import require_known_app
from sender_service.privacy.requests import ErasureRequester
from sender_service.store.person_data import PersonDataReader, PersonNames
from shared.apps import AppRegistry
from shared.documents.profile import Profile
from shared.errors import InvalidPayload, NotFound
from shared.models.sentences import described

PersonId = Annotated[
    str,
    Path(
        description=f"the person's, as search gives it: {ID_OR_PREFIX}",
        pattern=described(r"^[0-9A-Za-z-]{6,64}$", not_an_id(*PERSON_NAME)),
    ),
]


@dataclass(frozen=True)
class PeopleTools:
    people: PersonDataReader
    why: OutcomeExplainer
    of_scenario: ScenarioExplainer
    eraser: ErasureRequester
    exporter: PersonExporter
    apps: AppRegistry
    names: Names


def people_router(context: OpsContext) -> APIRouter:
    stores, vault = context.stores, context.vault
    why = OutcomeExplainer(stores.outcomes, context.clock)
    tools = PeopleTools(
        people=stores.person_data,
        why=why,
        of_scenario=ScenarioExplainer.of(context, why),
        eraser=ErasureRequester(stores.person_data, context.writer, vault, context.clock),
        exporter=PersonExporter(stores.person_data, why, stores.erasures, vault.hash_key),
        apps=context.apps,
        names=Names(stores.prefixes),
    )
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
        set_audit_target(request, app=body.app)
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
        request: Request,
        person: PersonId,
        send: Annotated[str | None, Query()] = None,
        scenario: Annotated[Name | None, Query()] = None,
    ) -> ExplanationResponse:
        """Explain why a person got a push or not: the outcome of each player in a send, or without
        `send` in the app's newest ones. `sendsSearched`: the number of sends that were searched.
        With `scenario`: her runs of it, firings of its clock, the outcomes of their pushes, and what a
        look at her comes to now, rule by rule."""
        known = await _known(tools, request, person)
        if scenario is not None:
            return await tools.of_scenario.explain(known, scenario)
        if send is not None:
            name = await tools.names.send(request, send)
            return ExplanationResponse(items=to_outcomes(await tools.why.of_send(known, name)))
        searched, found = await tools.why.recent(known)
        return ExplanationResponse(items=to_outcomes(found), sends_searched=searched)

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
        set_audit_target(request, merge=body.merge)
        event = await tools.eraser.undo(profile, merge)
        return UndoneMergeResponse(person=profile["_id"], event=event)


async def _profile(tools: PeopleTools, request: Request, given: str) -> Profile:
    """Return the profile. Raises NotFound, also for another app's; Conflict where several match."""
    person = await tools.names.person(request, given)
    profile = await tools.people.profile(person)
    if profile is None or not sees_app(request, profile["app"]):
        raise no_such_person(given)
    set_audit_target(request, person=person)
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
