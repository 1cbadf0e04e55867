"""A person's texts, a page's and a send's: each has a bound of time and of memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from sender_service.models.campaign import Campaign
from sender_service.models.metering import PUSH_STEPS
from sender_service.planner.building import PAGE_STEPS, PageBuilder, SendPlan
from sender_service.planner.rendering import MEMO_BYTES, Allowance, Renderer, SendTooDear
from sender_service.planner.target import Candidate, PlayerSelection
from shared.errors import Rejected
from shared.providers import DEFAULT_PROVIDER
from tests.support.builders import campaign, player, profile, send, variant
from tests.support.clocks import START

# Just below what one push may take.
DEAR = "{% for a in range(900) %}{% for b in range(17) %}{% endfor %}{% endfor %}{{ profile.db.x }}"
MEBIBYTE = 1024 * 1024


def _plan(of: Campaign, allowance: Allowance | None = None, **shared: Any) -> SendPlan:
    return SendPlan(send(), of, Renderer(shared, allowance), 2_000, {DEFAULT_PROVIDER: 2_000})


def _candidates(count: int, **fields: Any) -> list[Candidate]:
    return [
        Candidate([0, str(n)], profile(f"p{n}", player(n), db={"x": str(n)}, **fields))
        for n in range(count)
    ]


def test_a3_a_push_has_its_steps_for_all_its_texts() -> None:
    dear, other = {"en": DEAR}, {"en": DEAR + "!"}
    one = Campaign.model_validate(campaign(variant(contents=dear)).document()).variants[0]
    two = campaign(variant(headings=other, contents=dear)).variants[0]
    seen = profile("p", db={"x": "1"})
    assert Renderer({}).render(one, seen, {}).text == "1"
    with pytest.raises(Rejected) as caught:
        Renderer({}).render(two, seen, {})
    assert caught.value.code == "bad_variables"


def test_a3_a_person_with_many_names_has_the_steps_of_one() -> None:
    names = 100
    person = profile("p", *(player(n) for n in range(names)), db={"x": "1"})
    selections = tuple(PlayerSelection(player(n)["id"], {"own": n}) for n in range(names))
    plan = _plan(campaign(variant(contents={"en": DEAR})))
    builder = PageBuilder(plan, 0, START, ())
    began = time.thread_time()
    assert builder.add(Candidate([0, "p"], person, selections))
    assert time.thread_time() - began < 0.2
    assert plan.renderer.allowance.spent <= PUSH_STEPS
    assert builder.page(None).sums.failed == {"bad_variables": names - 1}


def test_a3_who_has_no_steps_left_takes_nothing_from_others() -> None:
    # The others' text is the same: it is remembered only where it had all steps.
    dear = DEAR.replace("profile.db.x", "'x'")
    renderer, of = Renderer({}), campaign(variant(contents={"en": dear})).variants[0]
    other = campaign(variant(id="b", contents={"en": DEAR})).variants[0]
    seen = profile("p", db={"x": "1"})
    renderer.begin_person()
    renderer.render(other, seen, {})
    with pytest.raises(Rejected):
        renderer.render(of, seen, {})
    renderer.begin_person()
    assert renderer.render(of, seen, {}).text == "x"


def test_a3_a_page_of_dear_texts_is_short() -> None:
    plan = _plan(campaign(variant(contents={"en": DEAR})), Allowance(base=10**9))
    builder = PageBuilder(plan, 0, START, ())
    began, added = time.thread_time(), 0
    for candidate in _candidates(2_000):
        if not builder.add(candidate):
            break
        added += 1
    assert time.thread_time() - began < 5
    assert plan.renderer.allowance.spent < PAGE_STEPS + PUSH_STEPS
    assert 50 < added < 200
    assert len(builder.members) == added, "who has no room here is in the next page"


def test_a3_a_page_of_large_texts_takes_little_memory() -> None:
    link = "https://shop.example/{{ profile.db.x }}/" + "y" * 300
    buttons = [{"id": i, "text": "Go {{ profile.db.x }}", "url": link, "icon": link} for i in "ab"]
    of = campaign(
        variant(
            contents={"en": "{{ profile.db.x }}" + "ž" * 150}, url=link, icon=link, image=link,
            buttons=buttons, data={"x": "y" * 800},
        )
    )  # fmt: skip
    plan = _plan(of)
    builder = PageBuilder(plan, 0, START, ())
    candidates = _candidates(2_000)
    builder.add(candidates[0])  # compiles the texts
    tracemalloc.start()
    try:
        added = sum(builder.add(candidate) for candidate in candidates[1:])
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert added < 200
    assert highest < 4 * MEBIBYTE


def test_a3_what_is_remembered_of_a_send_takes_little_memory() -> None:
    renderer = Renderer({})
    of = campaign(variant(url="https://shop.example/{{ own }}")).variants[0]
    renderer.render(of, profile("p"), {"own": "x"})
    tracemalloc.start()
    try:
        for n in range(10_000):
            renderer.render(of, profile("p"), {"own": f"{n}" + "y" * 1_900})
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < 2 * MEMO_BYTES


def test_a3_what_fails_again_and_again_is_not_piled_up() -> None:
    # An exception that is raised again grows by what it passed through.
    renderer = Renderer({})
    of = campaign(variant(contents={"en": "{{ gone }}"})).variants[0]
    tracemalloc.start()
    try:
        for _ in range(5_000):
            with pytest.raises(Rejected):
                renderer.render(of, profile("p", db={"x": "y" * 1_000}), {})
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < MEBIBYTE


def test_a3_variables_nobody_asks_for_cost_nothing() -> None:
    # A trigger has room for 100,000: they aren't copied for each person.
    shared = {f"v{n}": n for n in range(100_000)}
    renderer = Renderer(shared)
    of = campaign(variant(contents={"en": "{{ profile.db.x }} {{ v7 }}"})).variants[0]
    began = time.thread_time()
    for n in range(500):
        renderer.render(of, profile("p", db={"x": str(n)}), {})
    assert time.thread_time() - began < 0.5


def test_a3_a_send_has_a_bound_that_grows_with_its_pushes() -> None:
    plan = _plan(campaign(variant(contents={"en": DEAR})), Allowance(base=500_000, each=5_000))
    builder = PageBuilder(plan, 0, START, ())
    with pytest.raises(SendTooDear):
        for candidate in _candidates(100):
            builder.add(candidate)
    cheap = _plan(campaign(), Allowance(base=0, each=5_000))
    builder = PageBuilder(cheap, 0, START, ())
    assert all(builder.add(candidate) for candidate in _candidates(1_000))
