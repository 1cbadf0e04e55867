"""Dead letters: the stage that keeps them where they can be looked at, the look, the replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from sender_service.ops.audit import A_MOMENT, plain
from sender_service.ops.auth import NAMED_APP, current_principal, needs, sees_app
from sender_service.ops.bodies import json_body
from sender_service.ops.examples import LETTER, answers
from sender_service.ops.naming import BY_PREFIX, Names, not_an_id
from sender_service.privacy.requests import Writer
from sender_service.store.dead_letters import DeadLetterQuery, DeadLetterStore
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.kafka.client import OutgoingRecord, Record
from shared.kafka.topics import DEAD_LETTERS_GROUP, DEAD_LETTERS_TOPIC, TOPICS
from shared.models.dead_letter import DeadLetter
from shared.models.sentences import described
from shared.models.wire import Wire, WrittenMoment
from shared.mongo.client import Document
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

LETTER_ID = described(r"^[0-9A-Fa-f-]{6,36}$", not_an_id("dead letter", "dead-letters list"))
LetterId = Annotated[str, Path(description=f"the dead letter's: {BY_PREFIX}", pattern=LETTER_ID)]
LetterName = Annotated[str, StringConstraints(pattern=LETTER_ID)]
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


class ReplayIn(Wire):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"ids": ["4a1e4d1c-6a51-5a4f-9a45-0b1f3c2d4e5f"]}]},
    )

    ids: list[LetterName] = Field(min_length=1, max_length=100)


class Replayer:
    """Publishes a record again as it was: its topic, key, value and type."""

    def __init__(self, store: DeadLetterStore, writer: Writer, clock: Clock, names: Names) -> None:
        self._store = store
        self.names = names
        self._writer = writer
        self._clock = clock

    async def replay(self, request: Request, given: str) -> dict[str, Any]:
        """Published before it is marked: a crash between leaves it unmarked, and stages are
        idempotent. Raises NotFound, Conflict, LogUnavailable."""
        letter_id = await self.names.letter(request, given)
        letter = await existing(self._store, request, letter_id)
        _check(letter)
        key, value = DeadLetter.unpack(letter["key"]), DeadLetter.unpack(letter["value"])
        await self._writer.publish([OutgoingRecord(letter["topic"], key, value, letter["type"])])
        await self._store.mark_replayed(letter_id, current_principal(request).id, self._clock())
        return {"id": letter_id, "topic": letter["topic"], "replayed": True}


async def existing(store: DeadLetterStore, request: Request, letter: str) -> Document:
    """Raises NotFound, also for another app's; one that names no app is for `all` to see."""
    found = await store.get(letter)
    if found is None or not sees_app(request, found.get("app")):
        raise NotFound("no such dead letter", code="unknown_dead_letter")
    return found


def _check(letter: Document) -> None:
    if letter.get("erased"):
        raise Conflict("its person was erased: there is nothing to publish", code="erased")
    if letter["cut"]:
        raise Conflict("only its beginning is kept: publish it from its source", code="cut")
    if letter["topic"] not in REPLAYABLE:
        raise Conflict("its topic is none that can be published to", code="foreign_topic")


def dead_letters_router(store: DeadLetterStore, replayer: Replayer, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
    _add_looks(router, store, replayer.names, clock)
    _add_replays(router, replayer)
    return router


def _add_looks(router: APIRouter, store: DeadLetterStore, names: Names, clock: Clock) -> None:
    @router.get("", responses=answers({"items": [LETTER]}))
    @needs("read")
    async def newest(
        request: Request,
        topic: Annotated[str | None, Query(max_length=128)] = None,
        code: Annotated[str | None, Query(max_length=64)] = None,
        since: Annotated[WrittenMoment | None, Query()] = None,
        before: Annotated[WrittenMoment | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        """The newest first: where each came from, and why it was set aside. `before` the last
        one's `at` goes on."""
        apps = current_principal(request).apps
        query = DeadLetterQuery(before or clock() + A_MOMENT, since, topic, code, apps)
        found = await store.newest(query, limit)
        return {"items": [plain({"id": d.pop("_id"), **d}) for d in found]}

    @router.get("/{letter}")
    @needs("admin", audited=True)
    async def get_dead_letter(request: Request, letter: LetterId) -> dict[str, Any]:
        """One with its content, which may be personal: as JSON where it is, and not nested without end;
        else as text, else as base64."""
        name = await names.letter(request, letter)
        found = await existing(store, request, name)
        request.path_params["letter"] = name  # for the audit trail
        shown = {"id": found.pop("_id"), **found}
        shown |= {name: DeadLetter.decode(found[name]) for name in ("key", "value")}
        return {**plain(shown)}


def _add_replays(router: APIRouter, replayer: Replayer) -> None:
    @router.post("/replay")
    @needs("operate")
    async def replay_many(
        request: Request, body: Annotated[ReplayIn, json_body(ReplayIn)]
    ) -> dict[str, Any]:
        """Each is tried; what can't be published again says why."""
        items: list[dict[str, Any]] = []
        apps: set[str | None] = set()
        for letter in dict.fromkeys(body.ids):
            try:
                items.append(await replayer.replay(request, letter))
                apps.add(request.scope[NAMED_APP])
            except (NotFound, Conflict) as exc:
                items.append({"id": letter, "replayed": False, "code": exc.code})
        request.scope[NAMED_APP] = apps.pop() if len(apps) == 1 else None
        request.scope["audit_target"] = {"letters": str(len(items))}
        return {"items": items}

    @router.post("/{letter}/replay")
    @needs("operate")
    async def replay(request: Request, letter: LetterId) -> dict[str, Any]:
        """The record again, on its topic, with its key, value and type."""
        done = await replayer.replay(request, letter)
        request.path_params["letter"] = done["id"]
        return done
