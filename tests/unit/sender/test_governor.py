"""Turns to call OneSignal: never more than the rate in any second, what is pressing first."""

from __future__ import annotations

import asyncio
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sender_service.dispatcher.governor import Governor, Membership, Pacer
from sender_service.providers.base import Channel
from sender_service.providers.onesignal.limits import LIMITS_BY_PLAN
from shared.settings import GovernorSettings
from tests.support.builders import build_app
from tests.support.providers import ONESIGNAL
from tests.support.virtual_time import VirtualLoop, in_virtual_time


class Alone(Membership):
    """The only replica, and long there."""

    def __init__(self) -> None:
        self.paused: list[tuple[Channel, float]] = []

    @property
    def share(self) -> float:
        return 1.0

    def announce_pause(self, channel: Channel, seconds: float) -> None:
        self.paused.append((channel, seconds))


def _most_in_a_second(times: list[float]) -> int:
    """Return the maximum over every sliding second [t, t + 1)."""
    return max((bisect_left(times, t + 1 - 1e-6) - i for i, t in enumerate(times)), default=0)


def _turns(
    rate: float, callers: int, stalls: dict[int, float], *, within: float = 3_600.0
) -> list[float]:
    """Return when `callers` that come at once get their turn, on a loop that is busy for a while
    after the n-th of them.
    """

    async def test(loop: VirtualLoop) -> list[float]:
        pacer, given_at = Pacer(lambda: rate, loop.time), []

        async def call() -> None:
            if await pacer.acquire(transactional=False, within=within):
                given_at.append(loop.time())
                # Not between a turn and its call: that is nobody's to prevent.
                loop.call_soon(loop.stall, stalls.get(len(given_at), 0.0))

        await asyncio.gather(*(call() for _ in range(callers)))
        return given_at

    return in_virtual_time(test)


@settings(deadline=None, max_examples=40)
@given(
    st.floats(1, 100),
    st.integers(1, 250),
    st.dictionaries(st.integers(1, 300), st.floats(0.001, 3), max_size=12),
)
def test_never_more_than_the_rate_in_any_second(
    rate: float, callers: int, stalls: dict[int, float]
) -> None:
    times = _turns(rate, callers, stalls)
    assert len(times) == callers
    assert _most_in_a_second(times) <= rate


def test_a_busy_loop_makes_no_burst() -> None:
    times = _turns(50, 300, {n: 0.3 for n in range(10, 300, 7)})
    assert _most_in_a_second(times) <= 50


@pytest.mark.parametrize("rate", [0.5, 1, 20, 142.5, 5_700])
def test_the_rate_is_used(rate: float) -> None:
    callers = max(4, int(rate * 3))
    times = _turns(rate, callers, {})
    assert times[-1] <= callers / rate * 1.05 + 1
    assert _most_in_a_second(times) <= max(1, rate)


def test_turns_are_evenly_spaced() -> None:
    times = _turns(10, 30, {})
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert all(0.099 < gap < 0.21 for gap in gaps[1:])


def test_idle_time_is_not_saved_up() -> None:
    async def test(loop: VirtualLoop) -> list[float]:
        pacer, times = Pacer(lambda: 10, loop.time), []
        for wait in [0.0, 60.0] + [0.0] * 30:
            await asyncio.sleep(wait)
            await pacer.acquire(transactional=False, within=60)
            times.append(loop.time())
        return times

    assert _most_in_a_second(in_virtual_time(test)) <= 10


def test_transactional_goes_first() -> None:
    async def test(loop: VirtualLoop) -> list[str]:
        pacer, order = Pacer(lambda: 10, loop.time), []

        async def call(name: str, transactional: bool) -> None:
            await pacer.acquire(transactional=transactional, within=60)
            order.append(name)

        marketing = [asyncio.create_task(call("m", False)) for _ in range(5)]
        await asyncio.sleep(0.25)
        pressing = [asyncio.create_task(call("t", True)) for _ in range(3)]
        await asyncio.gather(*marketing, *pressing)
        return order

    assert "".join(in_virtual_time(test)) in ("mmmtttmm", "mmtttmmm")


def test_nobody_waits_longer_than_they_would() -> None:
    async def test(loop: VirtualLoop) -> None:
        pacer = Pacer(lambda: 2, loop.time)
        turns = [pacer.acquire(transactional=False, within=2.1) for _ in range(20)]
        got = await asyncio.gather(*turns)
        assert 4 <= sum(got) <= 5 and loop.time() == pytest.approx(2.1)
        assert await pacer.acquire(transactional=False, within=2), "who gave up takes nobody's turn"

    in_virtual_time(test)


def test_pause_stops_every_call() -> None:
    async def test(loop: VirtualLoop) -> None:
        pacer = Pacer(lambda: 100, loop.time)
        await pacer.acquire(transactional=False, within=1)
        pacer.pause(30)
        pacer.pause(5)  # a shorter one doesn't end a longer one
        assert not await pacer.acquire(transactional=True, within=5)
        assert await pacer.acquire(transactional=True, within=60)
        assert loop.time() >= 30

    in_virtual_time(test)


def test_pause_while_waiting_counts_too() -> None:
    async def test(loop: VirtualLoop) -> None:
        pacer = Pacer(lambda: 1, loop.time)
        await pacer.acquire(transactional=False, within=1)
        loop.call_later(0.5, pacer.pause, 10)
        assert await pacer.acquire(transactional=False, within=60)
        assert loop.time() >= 10.5

    in_virtual_time(test)


def test_without_a_share_nobody_has_a_turn() -> None:
    async def test(loop: VirtualLoop) -> None:
        rate = 0.0
        pacer = Pacer(lambda: rate, loop.time)
        assert not await pacer.acquire(transactional=True, within=5)
        rate = 10.0
        assert await pacer.acquire(transactional=True, within=5)

    in_virtual_time(test)


def test_one_apps_pause_is_not_anothers() -> None:
    """Nor is its queue: each has a limit of its own at OneSignal."""

    async def test(loop: VirtualLoop) -> None:
        governor = Governor(Alone(), GovernorSettings(), loop.time)
        one, other = (build_app(name) for name in ("one", "other"))
        assert await governor.acquire(one, ONESIGNAL, transactional=True, within=1)
        waiting = [
            asyncio.create_task(governor.acquire(one, ONESIGNAL, transactional=True, within=60))
            for _ in range(500)
        ]
        governor.pause("one", ONESIGNAL.name, 30)
        await asyncio.sleep(0)
        assert await governor.acquire(other, ONESIGNAL, transactional=False, within=1)
        assert not await governor.acquire(one, ONESIGNAL, transactional=True, within=1)
        for task in waiting:
            task.cancel()

    in_virtual_time(test)


def test_limits_are_onesignals() -> None:
    rates = {plan: limits.requests_per_second for plan, limits in LIMITS_BY_PLAN.items()}
    assert rates == {"free": 150, "paid": 6_000}
    assert ONESIGNAL.limits(build_app()) is LIMITS_BY_PLAN["free"]
