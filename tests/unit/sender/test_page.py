"""A page's account: set from its members; an edit writes exactly what it changed."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.send import NEVER, public_state
from sender_service.models.sums import Sums, encode_sums
from sender_service.pages.document import page_id
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from tests.support.builders import SEND, page, page_with, player_id, send
from tests.support.clocks import START
from tests.support.pages import ANSWER_TIMEOUT, build_page

STATES = ("planned", "released", "sent", "failed", "suppressed")
OWN = (("sent", ""), ("failed", "invalid_player"), ("suppressed", "moved"), ("failed", ""))
NOT_APPLICABLE = [("suppressed", "not_applicable", detail) for detail in ("emptied", "exited")]


@st.composite
def pages(draw: st.DrawFn) -> Page:
    chunks = {
        str(n): {
            "state": draw(st.sampled_from(STATES)),
            "reason": draw(st.sampled_from([None, "expired", "rejected"])),
            "notBefore": START + timedelta(seconds=draw(st.integers(-100, 100))),
            "releasedAt": draw(
                st.none() | st.just(START + timedelta(seconds=draw(st.integers(-99, 99))))
            ),
        }
        for n in range(draw(st.integers(1, 4)))
    }
    members: list[tuple[str, str, str]] = []
    outcomes: dict[str, list[str]] = {}
    for n in range(draw(st.integers(0, 12))):
        person = draw(st.sampled_from(["p", "q", "r", ""]))
        where = draw(st.sampled_from(["", *chunks]))
        if where == "" or draw(st.booleans()):
            outcomes[str(n)] = list(draw(st.sampled_from([*OWN, *NOT_APPLICABLE])))
        members.append((player_id(n), person, where))
    no_player = draw(st.integers(0, 3))
    return build_page(SEND, members, chunks, outcomes=outcomes, noPlayer=no_player)


def _recount(of: Page) -> dict[str, Any]:
    """Count naively, as the design defines it."""
    outcomes = [of.outcome(index) for index in range(len(of.members))]
    kinds = Counter(kind for kind, _ in outcomes)
    reasons = {
        kind: dict(Counter(reason or "unknown" for k, reason in outcomes if k == kind))
        for kind in ("suppressed", "failed")
    }
    places: dict[str, set[str]] = {}
    for member, (kind, _) in zip(of.members, outcomes, strict=True):
        places.setdefault(member[1] or f"unknown {member[0]}", set()).add(kind)
    order = ("sent", "pending", "failed", "suppressed")
    found = (of.detail(index) for index in range(len(of.members)))
    details = Counter(detail for detail in found if detail is not None)
    best = Counter(next(kind for kind in order if kind in kinds) for kinds in places.values())
    people = {kind: best[kind] for kind in order} | {"no_player": of.document["noPlayer"]}
    return {"audience": len(outcomes), "sent": kinds["sent"], "pending": kinds["pending"],
            **reasons, "people": people, "notApplicable": dict(details)}  # fmt: skip


@given(pages())
def test_sums_are_what_a_recount_finds(of: Page) -> None:
    sums = summarise(of.document)
    assert encode_sums(sums) == _recount(of)
    failed, suppressed = sum(sums.failed.values()), sum(sums.suppressed.values())
    assert sums.audience == sums.sent + sums.pending + failed + suppressed
    details = sum(sums.not_applicable.values())
    assert details == sums.suppressed.get("not_applicable", 0)


@given(st.lists(pages(), max_size=4))
def test_sums_of_pages_add_up(many: list[Page]) -> None:
    total = Sums()
    for one in many:
        total.add(summarise(one.document))
    assert total.audience == sum(len(one.members) for one in many)
    own = Counter(
        r for one in many for r, n in summarise(one.document).failed.items() for _ in range(n)
    )
    assert total.failed == dict(own)
    details = sum((Counter(one.sums.not_applicable) for one in many), Counter[str]())
    assert total.not_applicable == dict(details)
    assert total.people["no_player"] == sum(one.document["noPlayer"] for one in many)


def test_own_outcome_goes_before_the_chunks() -> None:
    of = page(chunks={"0": {"state": "sent"}}, outcomes={"0": ["failed", "invalid_player"]})
    assert of.outcome(0) == ("failed", "invalid_player")
    assert of.outcome(1) == ("sent", None)


@pytest.mark.parametrize("state", ["planned", "released"])
def test_open_chunk_is_pending(state: str) -> None:
    of = page_with(state=state, reason="no_answer")
    assert of.outcome(0) == ("pending", None)


@given(pages())
def test_pending_members_are_named_by_no_outcome(of: Page) -> None:
    counts = of.counts(of.chunks)
    for name in of.chunks:
        indexes = of.pending(name)
        assert counts[name] == len(indexes)
        assert all(of.chunk_name(i) == name and not of.has_own_outcome(i) for i in indexes)


def _apply(document: dict[str, Any], changes: dict[str, Any]) -> None:
    """Change the document as MongoDB's `$set` does."""
    for path, value in changes.items():
        at = document
        *steps, last = path.split(".")
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = copy.deepcopy(value)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Page, list[tuple[Any, ...]]]:
    of = draw(pages())
    steps: list[tuple[Any, ...]] = []
    for _ in range(draw(st.integers(0, 6))):
        index, state = draw(st.integers(-1, len(of.members) - 1)), draw(st.sampled_from(STATES))
        if index >= 0:
            steps.append((index, *draw(st.sampled_from([*OWN, *NOT_APPLICABLE]))))
        else:
            after = timedelta(seconds=draw(st.integers(0, 9)))
            fields = {"state": state, "attempts": after.seconds, "notBefore": START + after}
            steps.append((draw(st.sampled_from(sorted(of.chunks))), fields))
    return of, steps


@given(edits())
def test_changes_make_a_stored_copy_equal_the_edited_page(
    case: tuple[Page, list[tuple[Any, ...]]],
) -> None:
    of, steps = case
    stored: Any = copy.deepcopy(of.document)
    for step in steps:
        if isinstance(step[0], int) and len(step) == 4:
            of.suppress_not_applicable(step[0], step[3])
        elif isinstance(step[0], int):
            of.end_member(*step)
        else:
            of.change_chunk(step[0]).document.update(step[1])
    changes = of.changes(ANSWER_TIMEOUT)
    _apply(stored, changes)
    assert stored == of.document
    assert bool(changes) == bool(steps)
    if steps:
        _check_derived(of)


def _check_derived(of: Page) -> None:
    chunks = of.chunks.values()
    assert of.sums == summarise(of.document)
    assert of.is_open == any(not c.is_final for c in chunks)
    assert of.document["inFlight"] == sum(c.state == "released" for c in chunks)
    planned = [c.not_before for c in chunks if c.state == "planned"]
    unanswered = [
        c.released_at + ANSWER_TIMEOUT
        for c in chunks
        if c.state == "released" and c.released_at is not None
    ]
    assert of.document["dueAt"] == min([*planned, *unanswered, NEVER])


def test_index_of_a_stranger_is_none() -> None:
    found = page()
    assert found.index_of(player_id(2)) == 1 and found.index_of(player_id(9)) is None


def test_page_id_is_pinned() -> None:
    assert page_id(SEND, 12) == f"{SEND}:12"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"state": "planning", "due_at": START + timedelta(seconds=1)}, "scheduled"),
        ({"state": "planning"}, "planning"),
        ({"state": "sending"}, "sending"),
        ({"state": "sending", "paused": True}, "paused"),
        ({"state": "planning", "paused": True, "due_at": START + timedelta(seconds=1)}, "paused"),
        ({"state": "cancelled", "paused": True}, "cancelled"),
        ({"state": "refused"}, "refused"),
        ({"state": "done"}, "done"),
    ],
)
def test_state_as_it_is_displayed(fields: dict[str, Any], state: str) -> None:
    assert public_state(send(**fields), START) == state
