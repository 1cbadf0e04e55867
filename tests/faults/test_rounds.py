"""The rounds of the plan: after each, three tallies are equal to the unit (docs/faults.md)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.faults.conftest import CHOICE
from tests.faults.plan import BROKER, FAULTS_A_ROUND, Choice, Round, deal
from tests.faults.rounds import FaultRun, repeatable
from tests.support.cluster import given, is_cluster
from tests.support.disk import can_mount

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the rounds here: only now the run's broker is known."""
    if "plan" in metafunc.fixturenames:
        # The embedded broker's log is in memory: killed, it loses what it acknowledged, by nature;
        # and a given cluster is nobody's to be killed.
        rounds = deal(CHOICE, with_broker=is_cluster() and given() is None, with_disk=can_mount())
        metafunc.parametrize("plan", rounds, ids=str)


async def test_round(course: FaultRun, plan: Round) -> None:
    await course.run(plan)


def test_a_seed_is_a_plan() -> None:
    again = deal(CHOICE, with_broker=True, with_disk=True)
    assert again == deal(CHOICE, with_broker=True, with_disk=True)
    assert all(abs(len(one.faults) - FAULTS_A_ROUND) <= 1 for one in again)


def test_every_kind_comes_before_any_comes_again() -> None:
    choice = Choice("feed", None, None)
    for with_broker in (False, True):
        rounds = deal(choice, with_broker=with_broker, with_disk=True)
        kinds = [fault.kind for one in rounds for fault in one.faults]
        assert len(kinds) == len(set(kinds)) and (set(BROKER) <= set(kinds)) == with_broker


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("totals"), "totals"),
        (TimeoutError("too long"), "too long"),
        (httpx.ReadTimeout("nothing came"), "nothing came"),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [OSError("a pipe")])]), "a pipe"),
        (asyncio.CancelledError("told to end"), "told to end"),
        (BaseExceptionGroup("tasks", [KeyboardInterrupt("enough")]), "enough"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_whatever_ends_a_round_states_how_to_repeat_it(
    error: BaseException, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    again = "make test-faults SEED=feed ROUND=3"
    expected = AssertionError if isinstance(error, Exception) else type(error)
    with pytest.raises(expected), repeatable(Round(3, "feed:3", ()), again):
        raise error
    printed = capsys.readouterr().out
    assert text in printed and f"again: {again}\n" in printed
