"""A refused call is halved until only those at fault fail, within its budget of calls."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sender_service.accounting.interactions import RefusedRun
from sender_service.pages.deliveries import apply
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from shared.models.delivery import Delivery
from tests.support.builders import build_page_of, chunk
from tests.support.pages import ANSWER_TIMEOUT

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def onesignal(page: Page, bad: set[str]) -> int:
    """Call every planned chunk until none is left; any bad player refuses its call. → calls."""
    calls = 0
    while True:
        names = [n for n, c in page.chunks.items() if not c.is_final]
        if not names:
            return calls
        calls += 1
        named = {page.player(i) for i in page.pending(names[0])}
        refused = bool(named & bad)
        delivery = Delivery(
            app="a", send="s", page=0, chunk=names[0], at=NOW + timedelta(seconds=calls),
            outcome="failed" if refused else "sent", reason="rejected" if refused else None,
        )  # fmt: skip
        apply(page, delivery)
        apply(page, delivery)  # twice is once
        page.changes(ANSWER_TIMEOUT)


@given(st.integers(1, 300), st.data())
def test_calls_stay_within_budget_and_nobody_is_lost(size: int, data: st.DataObject) -> None:
    bad = {f"p{i}" for i in data.draw(st.sets(st.integers(0, size - 1), max_size=8))}
    page = build_page_of(size)
    calls = onesignal(page, bad)
    assert calls <= 2 * math.ceil(math.log2(max(size, 2))) + 2
    for index, (player, _, _) in enumerate(page.members):
        outcome, reason = page.outcome(index)
        assert (
            outcome == "sent"
            if player not in bad and len(bad) <= 1
            else outcome in ("sent", "failed")
        )
        assert reason in (None, "rejected")
        if player in bad:
            assert outcome == "failed"
    sums = summarise(page.document)
    assert sums.audience == size == sums.sent + sum(sums.failed.values())


def test_one_at_fault_costs_nobody_else_the_push() -> None:
    page = build_page_of(2_000)
    onesignal(page, {"p777"})
    assert summarise(page.document).failed == {"rejected": 1}


def test_parts_are_written_as_one_change() -> None:
    page = build_page_of(4)
    refused = Delivery(
        app="a", send="s", page=0, chunk="0", at=NOW, outcome="failed", reason="rejected"
    )
    apply(page, refused)
    changes = page.changes(ANSWER_TIMEOUT)
    assert changes["chunks"]["0"]["state"] == "split"
    assert changes["chunks"].keys() == {"0", "0-0", "0-1"}
    assert [member[2] for member in changes["members"]] == ["0-0", "0-0", "0-1", "0-1"]
    assert changes["open"] is True


def test_refusals_in_a_row_are_counted_since_the_last_success() -> None:
    page = build_page_of(2_000)
    onesignal(page, {f"p{i}" for i in range(2_000)})
    run = RefusedRun(10)
    run.add(page.chunks.values())
    assert run.length == 10
    fine = build_page_of(3)
    fine.change_chunk("0").end("sent", None, NOW + timedelta(days=1))
    run.add(fine.chunks.values())
    assert run.length == 0


@given(st.lists(st.sampled_from(["sent", "rejected", "invalid_player", "planned"])), st.randoms())
def test_refusals_are_counted_in_the_order_of_the_answers(
    answers: list[str], any_order: Random
) -> None:
    # Whatever the order of pages and chunks; and no more of them than asked for are remembered.
    chunks = [
        chunk(state="sent" if answer == "sent" else "failed", reason=answer, at=NOW + timedelta(seconds=n))
        if answer != "planned" else chunk()
        for n, answer in enumerate(answers)
    ]  # fmt: skip
    final_answers = [answer for answer in answers if answer in ("sent", "rejected")]
    expected = len("".join(answer[0] for answer in final_answers).rpartition("s")[2])
    any_order.shuffle(chunks)
    run = RefusedRun(3)
    for start in range(0, len(chunks), 2):
        run.add(chunks[start : start + 2])
    assert run.length == min(3, expected) and len(run._refused) <= 3
