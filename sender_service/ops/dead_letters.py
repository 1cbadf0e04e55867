"""Dead letters: the stage that stores them, and the routes that list and replay them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from sender_service.ops.auth import NAMED_APP, current_principal, needs, sees_app, set_audit_target
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import DEAD_LETTER_CONTENT, DEAD_LETTER_EXAMPLE, REPLAYED, answers
from sender_service.ops.naming import ID_OR_PREFIX, Names, not_an_id
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.dead_letters import (
    DeadLetterContentResponse,
    DeadLetterResponse,
    ReplayResponse,
)
from sender_service.privacy.requests import Writer
from sender_service.store.dead_letters import DeadLetterQuery, DeadLetterStore, StoredDeadLetter
from shared.clock import CLOCK_SKEW, Clock
from shared.errors import Conflict, NotFound
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import DEAD_LETTERS_GROUP, DEAD_LETTERS_TOPIC, TOPICS
from shared.models.dead_letter import DeadLetter
from shared.models.sentences import described
from shared.models.wire import Wire, WrittenMoment
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

DEAD_LETTER_ID_PATTERN = described(
    r"^[0-9A-Fa-f-]{6,36}$", not_an_id("dead letter", "dead-letters list")
)
DeadLetterId = Annotated[
    str,
    Path(
        alias="letter",
        description=f"the dead letter's: {ID_OR_PREFIX}",
        pattern=DEAD_LETTER_ID_PATTERN,
    ),
]
DeadLetterName = Annotated[str, StringConstraints(pattern=DEAD_LETTER_ID_PATTERN)]
REPLAYABLE = frozenset(topic.name for topic in TOPICS) - {DEAD_LETTERS_TOPIC.name}


def _decode(record: Record) -> DeadLetter:
    return DeadLetter.parse(record.value)


def dead_letters_stage(store: DeadLetterStore) -> StageSpec[DeadLetter]:
    async def handle(items: Sequence[Item[DeadLetter]]) -> list[Poison]:
        await store.put([item.value for item in items])
        return []

    return StageSpec(
        "dead-letters",
        DEAD_LETTERS_GROUP,
        (DEAD_LETTERS_TOPIC.name,),
        _decode,
        handle,
        can_rest=True,
    )


class ReplayRequest(Wire):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"ids": ["4a1e4d1c-6a51-5a4f-9a45-0b1f3c2d4e5f"]}]},
    )

    ids: list[DeadLetterName] = Field(min_length=1, max_length=100)


class Replayer:
    """Publishes a record again, with its topic, key, value and type."""

    def __init__(self, store: DeadLetterStore, writer: Writer, clock: Clock, names: Names) -> None:
        self._store = store
        self.names = names
        self._writer = writer
        self._clock = clock

    async def replay(self, request: Request, given: str) -> ReplayResponse:
        """Publish the record, then mark the dead letter. Raises NotFound, Conflict, LogUnavailable."""
        # A crash between the two leaves it unmarked: stages are idempotent.
        dead_letter_id = await self.names.dead_letter(request, given)
        dead_letter = await existing(self._store, request, dead_letter_id)
        _check_replayable(dead_letter)
        key = DeadLetter.unpack(dead_letter.key or "")
        value = DeadLetter.unpack(dead_letter.value or "")
        record = OutgoingRecord(dead_letter.topic, key, value, dead_letter.type)
        await self._writer.publish([record])
        await self._store.mark_replayed(
            dead_letter_id, current_principal(request).id, self._clock()
        )
        return ReplayResponse(id=dead_letter_id, topic=dead_letter.topic, replayed=True)


async def existing(store: DeadLetterStore, request: Request, dead_letter: str) -> StoredDeadLetter:
    """Return the dead letter. Raises NotFound, also for another app's.

    One without an app is for tokens of all apps only.
    """
    found = await store.get(dead_letter)
    if found is None or not sees_app(request, found.app):
        raise NotFound("no such dead letter", code="unknown_dead_letter")
    return found


def _check_replayable(dead_letter: StoredDeadLetter) -> None:
    if dead_letter.erased:
        raise Conflict("its person was erased: there is nothing to publish", code="erased")
    if dead_letter.truncated:
        raise Conflict("only its beginning is kept: publish it from its source", code="truncated")
    if dead_letter.topic not in REPLAYABLE:
        raise Conflict("its topic is none that can be published to", code="foreign_topic")


def dead_letters_router(context: OpsContext) -> APIRouter:
    names, store = Names(context.stores.prefixes), context.stores.dead_letters
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
    _add_readers(router, store, names, context.clock)
    _add_replays(router, Replayer(store, context.writer, context.clock, names))
    return router


def _add_readers(router: APIRouter, store: DeadLetterStore, names: Names, clock: Clock) -> None:
    @router.get("", responses=answers({"items": [DEAD_LETTER_EXAMPLE]}))
    @needs("read")
    async def newest(
        request: Request,
        topic: Annotated[str | None, Query(max_length=128)] = None,
        code: Annotated[str | None, Query(max_length=64)] = None,
        since: Annotated[WrittenMoment | None, Query()] = None,
        before: Annotated[WrittenMoment | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Items[DeadLetterResponse]:
        """List dead letters, the newest first: origin and error of each. The last one's `at` as `before`
        continues the list."""
        apps = current_principal(request).apps
        query = DeadLetterQuery(before or clock() + CLOCK_SKEW, since, topic, code, apps)
        found = await store.newest(query, limit)
        return Items(items=[_to_response(each) for each in found])

    @router.get("/{letter}", responses=answers(DEAD_LETTER_CONTENT))
    @needs("admin", audited=True)
    async def get_dead_letter(
        request: Request, dead_letter: DeadLetterId
    ) -> DeadLetterContentResponse:
        """Return a dead letter with its content, which may be personal. Key and value are JSON; text
        where they aren't, or are nested too deep; base64 where they aren't text."""
        name = await names.dead_letter(request, dead_letter)
        found = await existing(store, request, name)
        set_audit_target(request, letter=name)
        key, value = (DeadLetter.decode(packed or "") for packed in (found.key, found.value))
        return DeadLetterContentResponse(**dict(_to_response(found)), key=key, value=value)


def _to_response(found: StoredDeadLetter) -> DeadLetterResponse:
    """Return the answer, without the content."""
    return DeadLetterResponse.model_validate(found, from_attributes=True)


def _add_replays(router: APIRouter, replayer: Replayer) -> None:
    @router.post("/replay", responses=answers({"items": [REPLAYED]}))
    @needs("operate")
    async def replay_many(
        request: Request, body: Annotated[ReplayRequest, json_body(ReplayRequest)]
    ) -> Items[ReplayResponse]:
        """Replay dead letters. An item that can't be published again has a `code`."""
        items: list[ReplayResponse] = []
        apps: set[str | None] = set()
        for given in dict.fromkeys(body.ids):
            try:
                items.append(await replayer.replay(request, given))
                apps.add(request.scope[NAMED_APP])
            except (NotFound, Conflict) as exc:
                items.append(ReplayResponse(id=given, replayed=False, code=exc.code))
        request.scope[NAMED_APP] = apps.pop() if len(apps) == 1 else None
        set_audit_target(request, letters=str(len(items)))
        return Items(items=items)

    @router.post("/{letter}/replay", responses=answers(REPLAYED))
    @needs("operate")
    async def replay(request: Request, dead_letter: DeadLetterId) -> ReplayResponse:
        """Publish the record again on its topic, with its key, value and type."""
        done = await replayer.replay(request, dead_letter)
        set_audit_target(request, letter=done.id)
        return done
