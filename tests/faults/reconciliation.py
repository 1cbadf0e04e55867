"""Reconciliation of a round: what clients, Carillon and OneSignal counted. To the unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from tests.faults.client_ledger import ClientLedger
from tests.faults.clocks import CLOCK_OFFSET_SECONDS
from tests.faults.customers import CAMPAIGN
from tests.faults.fault_cluster import FaultCluster
from tests.faults.poison import dead_letters, is_planted
from tests.faults.prober import Prober
from tests.faults.reports import differences, out_of_bounds
from tests.faults.scenario_checks import ScenarioChecks
from tests.faults.shop import Shop
from tests.faults.stored import Stored, not_on_the_log
from tests.faults.webhook_proxy import Seen, WebhookProxy, sent_by
from tests.support.stack import eventually

# What a clock that was ahead has put off waits until the true time is there.
CLOSED_SECONDS = 90.0 + CLOCK_OFFSET_SECONDS
QUIET_SECONDS = 60.0


class Reconciliation:
    """Checks of a round; each waits until it passes, or fails with both sides."""

    def __init__(
        self,
        world: FaultCluster,
        shop: Shop,
        webhook_proxy: WebhookProxy,
        ledger: ClientLedger,
        scenario: ScenarioChecks,
    ) -> None:
        self._world = world
        self._shop = shop
        self._webhook_proxy = webhook_proxy
        self._ledger = ledger
        self._scenario = scenario
        self.counted = 0  # interactions, for the record

    async def check(self, planted: int) -> None:
        await self._world.ready()
        await self._every_event_is_in_its_profile()
        await self._every_account_closes()
        await _until_none(self._scenario.differences, CLOSED_SECONDS)
        pushes = await self._pushes()
        self._nobody_was_pushed_twice(pushes)
        await self._accounts_equal_the_sandbox(pushes)
        await self._check_counts(pushes)
        await self._check_report("hello", self._ledger.sends)
        await self._check_report(CAMPAIGN, self._scenario.sends)
        await self._only_the_poison_is_dead(planted)
        await self._world.ready()

    async def check_prober(self, prober: Prober) -> None:
        """Check what the stopped prober was answered, as any client's."""

        async def look() -> list[str]:
            stored = await Stored.of(self._world, self._shop)
            return list(stored.pages_differ(prober.accepted, prober.tried))

        await _until_none(look, QUIET_SECONDS)
        accepted = self._ledger.events | prober.events
        lost = await not_on_the_log(self._world.settings.kafka, accepted, QUIET_SECONDS)
        assert not lost, f"accepted, but not on the log: {len(lost)} of {len(accepted)}: {lost}"

    async def _every_event_is_in_its_profile(self) -> None:
        async def look() -> list[str]:
            stored = await Stored.of(self._world, self._shop)
            return list(stored.differences(self._shop, self._ledger))

        await _until_none(look, QUIET_SECONDS)

    async def _every_account_closes(self) -> None:
        async def look() -> list[str]:
            async with self._world.mongo() as database:
                expected = {"app": self._shop.app, "closedAt": {"$ne": None}}
                closed = {send["_id"] async for send in database["sends"].find(expected)}
            # One that came by the log is unknown to the ops API until intake has it.
            return [f"{send} never closed" for send in sorted(set(self._ledger.sends) - closed)]

        await _until_none(look, CLOSED_SECONDS)

    async def _account(self, send: str) -> Any:
        return await self._world.ops("GET", f"/v1/sends/{send}")

    async def _pushes(self) -> list[dict[str, Any]]:
        """Return OneSignal's deliveries, once all its browsers are finished."""
        path = f"/sandbox/tally?app_id={self._shop.one_signal}"

        async def quiet() -> Any:
            tally = await self._world.onesignal("GET", path)
            return tally if tally["pending"] == 0 else None

        tally = await eventually(quiet, QUIET_SECONDS, every=0.2)
        assert not tally["disabled"], "OneSignal disabled the app"
        pushes: list[dict[str, Any]] = tally["pushes"]
        return pushes

    def _nobody_was_pushed_twice(self, pushes: list[dict[str, Any]]) -> None:
        times = Counter[tuple[str, str]]()
        for push in pushes:
            times[sent_by(push["data"]), push["player_id"]] += push["deliveries"]
        twice = {who: n for who, n in times.items() if n > 1}
        assert not twice, f"pushed more than once: {twice}"

    async def _accounts_equal_the_sandbox(self, pushes: list[dict[str, Any]]) -> None:
        delivered: dict[str, set[str]] = defaultdict(set)
        for push in pushes:
            delivered[sent_by(push["data"])].add(push["player_id"])
        assert set(delivered) <= self._sends, "pushed what nobody asked for"
        for send in self._sends:
            account = await self._account(send)
            left_out = sum(account["suppressed"].values()) + sum(account["failed"].values())
            assert account["audience"] == account["sent"] + left_out, account
            assert account["pending"] == 0, account
            assert account["sent"] == len(delivered[send]), (account, len(delivered[send]))
            # All are registered and subscribed, so that each of them must have got it.
            audience = self._ledger.sends.get(send, delivered[send])
            assert delivered[send] == audience, (account, delivered[send] ^ audience)
        self._scenario.check_deliveries(delivered)

    @property
    def _sends(self) -> set[str]:
        """Return what clients triggered, and what the scenario fired."""
        return {*self._ledger.sends, *self._scenario.sends}

    async def _check_counts(self, pushes: list[dict[str, Any]]) -> None:
        """Check that each answered webhook counts once, and that only browsers that acted count.

        One whose answer got lost may count or not: its client got no answer.
        """
        for send in self._sends:
            accepted, tried = self._webhook_proxy.accepted[send], self._webhook_proxy.tried[send]

            async def uncounted(send: str = send, accepted: Seen = accepted) -> list[str]:
                return [
                    f"{who} of {send} isn't counted" for who in accepted - await self._seen(send)
                ]

            await _until_none(uncounted, QUIET_SECONDS)
            seen = await self._seen(send)
            assert seen <= tried, f"counted, but never sent: {seen - tried}"
            account = await self._account(send)
            reported = [account[kind] for kind in ("impressions", "clicks", "closes")]
            kinds = Counter(kind for _, kind in seen)
            assert reported == [kinds[kind] for kind in ("impression", "click", "close")], account
            self.counted += len(seen)
        displayed = {
            (sent_by(push["data"]), push["player_id"]) for push in pushes if push["displayed"]
        }
        for send, tries in self._webhook_proxy.tried.items():
            if send in self._sends:
                assert {(send, player) for player, _ in tries} <= displayed

    async def _check_report(self, campaign: str, of_campaign: Collection[str]) -> None:
        """Check the campaign's and the app's: as its sends' accounts, as MongoDB, as browsers did."""
        sends, place = sorted(of_campaign), f"/v1/apps/{self._shop.app}"
        accepted, tried = (
            [of[s] for s in sends]
            for of in (self._webhook_proxy.accepted, self._webhook_proxy.tried)
        )

        async def look() -> list[str]:
            report = await self._world.ops("GET", f"{place}/campaigns/{campaign}/report")
            of_app = (await self._world.ops("GET", f"{place}/report"))["items"]
            accounts = [await self._account(send) for send in sends]
            seen = [await self._seen(send) for send in sends]
            found = [*differences(report, accounts, seen), *out_of_bounds(report, accepted, tried)]
            return found + ([] if report in of_app else ["the app's report differs"])

        await _until_none(look, QUIET_SECONDS)

    async def _seen(self, send: str) -> Seen:
        """Return (player, kind) pairs as MongoDB has them."""
        seen: Seen = set()
        async with self._world.mongo() as database:
            members = {
                page["_id"]: [member[0] for member in page["members"]]
                async for page in database["pages"].find({"send": send})
            }
            async for found in database["interactions"].find({"send": send}):
                for kind, by_index in found["times"].items():
                    seen |= {(members[found["_id"]][int(i)], kind) for i in by_index}
        return seen

    async def _only_the_poison_is_dead(self, planted: int) -> None:
        async def all_dead() -> bool:
            return sum(map(is_planted, await dead_letters(self._world))) >= planted

        await eventually(all_dead, QUIET_SECONDS, every=0.2)
        strange = [d for d in await dead_letters(self._world) if not is_planted(d)]
        described = [(d["stage"], d["topic"], d["code"], d["message"]) for d in strange]
        assert not described, f"dead letters that nobody planted: {described}"


async def _until_none(look: Callable[[], Awaitable[list[str]]], seconds: float) -> None:
    """Wait until nothing differs; report what does to the end."""
    found: list[str] = []

    async def none() -> bool:
        found[:] = await look()
        return not found

    try:
        await eventually(none, seconds, every=0.3)
    except AssertionError as exc:
        raise AssertionError(f"after {seconds:g} s: {'; '.join(found[:8])}") from exc
