"""Segments on the real database: whom they select, in which order, and what they never read."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sender_service.models.segment import BoundedSegment, Segment
from sender_service.models.segment_match import matches
from sender_service.models.segment_values import Counted, Range
from sender_service.planner.audience import AudienceReader
from sender_service.planner.segment_filter import to_filter
from sender_service.planner.target import Target
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from shared.documents.profile import Profile
from shared.ids import SLOTS, slot_of
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST
from tests.integration.sender.sender_harness import candidates
from tests.support.clocks import START
from tests.support.stack import settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

PARSER: TypeAdapter[Segment] = TypeAdapter(BoundedSegment)
# Few values, so that conditions meet profiles; moments lie on the edges of durations too.
IDS = ("1", "2", "3")
LANGUAGES = ("cs", "cs-CZ", "csb", "en", "en-US")  # spelled as ingest stores them
LANGUAGE_NAMES = (*LANGUAGES, "CS", "En-us")  # as a segment may spell them
AMOUNTS = (0, 9.5, 10, 10.5, 500)
PEOPLE = 150
PUT_AT_ONCE = 500
FRAGMENTS = 100  # people whose profiles lack fields, or have null in them
random = Random(20261101)


def _moment() -> datetime:
    hours, edge = random.choice((0, 1, 2, 24, 48, 72)), random.choice((-1, 0, 1))
    return START - timedelta(hours=hours, milliseconds=edge)


def _lines() -> list[dict[str, Any]]:
    items = random.sample(IDS, random.randint(0, 3))
    return [{"item": item, "quantity": 1, "price": random.choice(AMOUNTS)} for item in items]


def _entries(**choices: Callable[[], Any]) -> list[dict[str, Any]]:
    """Return a random list of a profile, the newest entry first."""
    found = [{n: make() for n, make in choices.items()} for _ in range(random.randint(0, 4))]
    return sorted(found, key=lambda entry: entry["at"], reverse=True)


def _one_of(*values: Any) -> Callable[[], Any]:
    return lambda: random.choice(values)


def _fragment(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without some fields, with null in others, at every depth."""
    kept = {name: value for name, value in document.items() if random.random() > 0.1}
    return {name: None if random.random() < 0.1 else _torn(value) for name, value in kept.items()}


def _torn(value: Any) -> Any:
    if isinstance(value, list):
        return [_fragment(one) for one in value]
    return _fragment(value) if isinstance(value, dict) else value


def _profile() -> dict[str, Any]:
    """Build a random profile as the projector writes them."""
    amount = _one_of(None, *AMOUNTS)
    return {
        "login": random.choice((None, "ann")),
        "email": random.choice((None, "ann@shop.test")),
        "lastSeenAt": _moment(),
        "timeZone": random.choice((None, "Europe/Prague", "UTC")),
        "language": random.choice((None, *LANGUAGES)),
        "browser": random.choice((None, "Chrome", "Firefox")),
        "viewed": _entries(item=_one_of(*IDS), category=_one_of(None, *IDS), at=_moment),
        "categories": _entries(id=_one_of(*IDS), at=_moment),
        "basket": {
            "items": _lines(), "total": amount(),
            "at": random.choice((None, _moment())), "since": random.choice((None, _moment())),
        },
        "purchases": _entries(id=_one_of(*IDS), items=_lines, revenue=amount, at=_moment),
    }  # fmt: skip


DURATIONS = st.builds(lambda hours: {"hours": hours}, st.sampled_from([1, 2, 24, 48]))
PERIODS = st.fixed_dictionaries({}, optional={"within": DURATIONS, "olderThan": DURATIONS}).filter(
    lambda p: len(p) < 2 or p["within"]["hours"] > p["olderThan"]["hours"]
)
NAMES = st.lists(st.sampled_from(IDS), min_size=1, max_size=2)
LIMITS = ("atLeast", "moreThan", "atMost", "lessThan")
RANGES = st.dictionaries(
    st.sampled_from(LIMITS), st.sampled_from(AMOUNTS), min_size=1, max_size=2
).filter(lambda value: _is_limit(Range, value))
COUNTS = st.fixed_dictionaries(
    {}, optional={"atLeast": st.integers(1, 4), "atMost": st.integers(0, 3)}
).filter(lambda value: _is_limit(Counted, value))


def _is_limit(model: type[Range] | type[Counted], value: dict[str, Any]) -> bool:
    """Tell whether something can be within; what can't is refused."""
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def _details(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    beside = st.fixed_dictionaries({}, optional=optional)
    return st.builds(lambda period, rest: {**period, **rest}, PERIODS, beside)


COUNTED = st.builds(lambda w, c: {**w, "count": c},
                    st.fixed_dictionaries({}, optional={"within": DURATIONS}), COUNTS)  # fmt: skip
LEAVES = st.one_of(
    PERIODS.filter(bool).map(lambda value: {"lastSeen": value}),
    st.lists(st.sampled_from(LANGUAGE_NAMES), min_size=1, max_size=2).map(
        lambda value: {"language": value}
    ),
    st.just({"timeZone": ["Europe/Prague"]}),
    st.just({"browser": ["Chrome", "Safari"]}),
    st.sampled_from(["login", "email"]).map(lambda kind: {"known": kind}),
    _details(items=NAMES, categories=NAMES, last=st.just(True)).map(lambda d: {"viewed": d}),
    _details(ids=NAMES, last=st.just(True)).map(lambda d: {"category": d}),
    _details(items=NAMES, total=RANGES, lines=COUNTS).map(lambda d: {"basket": d}),
    (_details(items=NAMES, revenue=RANGES) | COUNTED).map(lambda d: {"bought": d}),
)
SEGMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
).filter(lambda segment: _depth(segment) <= 8)


def _depth(segment: Any) -> int:
    ((kind, details),) = segment.items()
    inner = details if kind in ("and", "or") else [details] if kind == "not" else []
    return 1 + max((_depth(one) for one in inner), default=0)


@pytest.fixture(scope="module", params=["motor", "pymongo"])
async def database(
    request: pytest.FixtureRequest, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    settings = settings_for("", mongo_uri, tmp_path_factory.mktemp("settings"))
    settings.mongo.driver = request.param
    async with open_database(settings.mongo, "test") as database:
        await ensure_indexes(database, INGEST)
        yield database


async def _put(database: Database, profiles: list[dict[str, Any]]) -> str:
    """Store people of a new app; return its id."""
    app = uuid.uuid4().hex
    named = [
        {**profile, "_id": f"{app}-{n}", "app": app, "slot": slot_of(f"{app}-{n}"), "players": []}
        for n, profile in enumerate(profiles)
    ]
    # Few at once: the driver repeats what takes too long, and the embedded server has it already.
    for at in range(0, len(named), PUT_AT_ONCE):
        await database["profiles"].insert_many(named[at : at + PUT_AT_ONCE])
    return app


def _reader(database: Database) -> AudienceReader:
    return AudienceReader(PeopleReader(database), PartStore(database))


@dataclass(frozen=True)
class Crowd:
    """People of every kind, and the app they are in."""

    app: str
    # Hypothesis prints a test's arguments where it fails, and refuses long ones.
    profiles: list[dict[str, Any]] = field(repr=False)


@pytest.fixture(scope="module")
async def crowd(database: Database) -> Crowd:
    profiles = [_profile() for _ in range(PEOPLE)]
    profiles += [_fragment(_profile()) for _ in range(FRAGMENTS)]
    return Crowd(await _put(database, profiles), profiles)


NOWS = st.sampled_from([START, START + timedelta(microseconds=999)])  # databases hold milliseconds


@bounded(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(segment=SEGMENTS, now=NOWS)
async def test_query_and_evaluator_select_the_same_people(
    database: Database, crowd: Crowd, segment: dict[str, Any], now: datetime
) -> None:
    app, condition = crowd.app, PARSER.validate_python(segment)
    slots, where = (0, SLOTS - 1), to_filter(condition, now)
    found = await PeopleReader(database).selected(app, slots, where)
    meant = {n for n, p in enumerate(crowd.profiles) if matches(condition, cast(Profile, p), now)}
    assert {p["_id"] for p in found} == {f"{app}-{n}" for n in meant}


def _person(seen: datetime) -> dict[str, Any]:
    return {"lastSeenAt": seen, "language": "cs"}


async def test_read_in_parts_it_is_the_same_audience_in_the_same_order(database: Database) -> None:
    people = [_person(START - timedelta(days=n % 3)) for n in range(240)]
    app = await _put(database, people)
    segment = PARSER.validate_python({"lastSeen": {"within": {"days": 1}}})
    target = Target(app, START, segment=segment)
    reader = _reader(database)
    whole = [c.cursor for c in await candidates(reader, target)]
    assert whole == sorted(whole) and len(whole) == 160
    for at in (0, 80, 158, 159):
        rest = await candidates(reader, target, whole[at])
        assert [c.cursor for c in rest] == whole[at + 1 :]


async def test_shares_of_what_is_read_rise_to_one(database: Database) -> None:
    app = await _put(database, [_person(START) for _ in range(4_000)])
    segment = PARSER.validate_python({"language": ["cs"]})
    batches = _reader(database).batches(Target(app, START, segment=segment), None)
    shares = [batch.share async for batch in batches]
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 1


async def test_only_owners_who_are_selected_are_completed(database: Database) -> None:
    app = await _put(database, [_person(START), _person(START - timedelta(days=9))])
    segment = PARSER.validate_python({"lastSeen": {"within": {"days": 1}}})
    owners = await _reader(database).owners(
        Target(app, START, segment=segment), [f"{app}-0", f"{app}-1", f"{app}-0"]
    )
    assert list(owners) == [f"{app}-0"]
