"""The whole loop on make run's stack: start, memory, event to profile, trigger to closed account."""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measuring import report
from tests.support.carillon import Carillon, Shop

EVENTS = 100
SENDS = 20
REGISTERED = 1_000
RECIPIENTS = 20
MIB = 1024 * 1024


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        carillon = Carillon(Path(folder))
        began = time.perf_counter()
        await carillon.start()
        report(f"make run, installed, to ready: {time.perf_counter() - began:.1f} s (aim: 30)")
        try:
            shop = await carillon.open_shop(plan="paid")
            await carillon.register(shop, 1)  # the consumers have joined their groups by then
            _report("event to profile, ms (aim: 250)", await _event_to_profile(carillon, shop))
            players = await carillon.register(shop, REGISTERED)
            figures = await _trigger_to_account(carillon, shop, players)
            _report(
                f"trigger to closed account, {RECIPIENTS} of {REGISTERED:,}, ms (aim: 5,000)",
                figures,
            )
            everyone = await _trigger_to_account(carillon, shop, [])
            _report(f"trigger to closed account, all {REGISTERED:,}, ms", everyone)
            report(
                f"all processes together: {carillon.resident_bytes() / MIB:.0f} MiB resident (aim: 1,000)"
            )
        finally:
            await carillon.stop()


async def _event_to_profile(carillon: Carillon, shop: Shop) -> list[float]:
    """Measure from before the POST until GET /v1/profile shows it, polling without a pause."""
    took = []
    for n in range(EVENTS):
        visitor, player = f"bench{n}", str(uuid.uuid4())
        event = {
            "type": "oneSignal",
            "visitorId": visitor,
            "data": {"playerID": player, "status": "default"},
        }
        began = time.perf_counter()
        await carillon.collect(shop, [event])
        while (await carillon.profile(shop, visitor))["db"]["oneSignal"].get("playerID") != player:
            pass
        took.append((time.perf_counter() - began) * 1_000)
    return took


async def _trigger_to_account(
    carillon: Carillon, shop: Shop, players: Sequence[str]
) -> list[float]:
    """Measure from before the trigger's POST until GET /v1/sends shows the account closed."""
    took = []
    for n in range(SENDS if players else 3):
        chosen = players[n * RECIPIENTS % len(players) :][:RECIPIENTS] if players else []
        audience: dict[str, object] = {"players": chosen} if chosen else {"all": True}
        began = time.perf_counter()
        account = await carillon.closed(await carillon.trigger(shop, audience=audience))
        took.append((time.perf_counter() - began) * 1_000)
        assert account["sent"] >= len(chosen)
    return took


def _report(what: str, figures: Sequence[float]) -> None:
    ordered = sorted(figures)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    report(f"{what}: median {statistics.median(ordered):.0f}, p99 {worst:.0f}, of {len(ordered)}")
