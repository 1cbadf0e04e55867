"""After a round: what clients were told, what Carillon says, what OneSignal counted. To the unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tests.faults.doorman import Doorman, Seen, sent_by
from tests.faults.poison import is_planted, letters
from tests.faults.shop import Shop
from tests.faults.traffic import Told
from tests.faults.world import World
from tests.stack import eventually

CLOSED_SECONDS = 90.0
QUIET_SECONDS = 60.0
MEMORY_MEGABYTES = 350.0  # a service; seen: below 150


class Verdict:
    """Each check waits until it holds; what never does is said with both sides."""

    def __init__(self, world: World, shop: Shop, doorman: Doorman, told: Told) -> None:
        self._world = world
        self._shop = shop
        self._doorman = doorman
        self._told = told
        self.counted = 0  # interactions, for the record
        self.memory: dict[str, float] = {}

    async def judge(self, planted: int) -> None:
        await self._world.ready()
        await self._every_event_is_in_its_profile()
        await self._every_account_closes()
        pushes = await self._pushes()
        self._nobody_was_pushed_twice(pushes)
        await self._accounts_equal_the_sandbox(pushes)
        await self._counts_lie_between_told_and_done(pushes)
        await self._only_the_poison_is_dead(planted)
        self._memory_is_bounded()
        await self._world.ready()

    async def _every_event_is_in_its_profile(self) -> None:
        missing = ""

        async def look() -> bool:
            nonlocal missing
            orders, players = await self._profiles()
            lost = {v: o - orders[v] for v, o in self._told.orders.items() if o - orders[v]}
            strangers = {v for v, p in self._told.players.items() if p not in players[v]}
            missing = f"orders {lost}, players of {strangers}"
            return not lost and not strangers

        try:
            await eventually(look, QUIET_SECONDS, every=0.3)
        except AssertionError as exc:
            raise AssertionError(f"accepted, but in no profile: {missing}") from exc

    async def _profiles(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        orders: dict[str, set[str]] = defaultdict(set)
        players: dict[str, set[str]] = defaultdict(set)
        async with self._world.mongo() as database:
            async for profile in database["profiles"].find({"app": self._shop.app}):
                for visitor in profile["visitors"]:
                    orders[visitor] |= {purchase["id"] for purchase in profile["purchases"]}
                    players[visitor] |= {player["id"] for player in profile["players"]}
        return orders, players

    async def _every_account_closes(self) -> None:
        open_ones: list[Any] = []

        async def look() -> bool:
            async with self._world.mongo() as database:
                wanted = {"app": self._shop.app, "closedAt": {"$ne": None}}
                closed = {send["_id"] async for send in database["sends"].find(wanted)}
            # One that came by the log is unknown to the ops API until intake has it.
            open_ones[:] = sorted(set(self._told.sends) - closed)
            return not open_ones

        try:
            await eventually(look, CLOSED_SECONDS, every=0.3)
        except AssertionError as exc:
            raise AssertionError(f"never closed: {open_ones}") from exc

    async def _account(self, send: str) -> Any:
        return await self._world.ops("GET", f"/v1/sends/{send}")

    async def _pushes(self) -> list[dict[str, Any]]:
        """What OneSignal delivered, once all its browsers are finished."""
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
        assert set(delivered) <= set(self._told.sends), "pushed what nobody asked for"
        for send, audience in self._told.sends.items():
            account = await self._account(send)
            left_out = sum(account["suppressed"].values()) + sum(account["failed"].values())
            assert account["audience"] == account["sent"] + left_out, account
            assert account["pending"] == 0, account
            assert account["sent"] == len(delivered[send]), (account, len(delivered[send]))
            # All are registered and subscribed, so that each of them must have got it.
            assert delivered[send] == audience, (account, delivered[send] ^ audience)

    async def _counts_lie_between_told_and_done(self, pushes: list[dict[str, Any]]) -> None:
        """A webhook that was answered counts, once; what counts was sent by a browser that acted.

        One whose answer got lost may count or not: nobody was told anything.
        """
        for send in self._told.sends:
            told, tried = self._doorman.told[send], self._doorman.tried[send]

            async def all_counted(send: str = send, told: Seen = told) -> bool:
                return told <= await self._seen(send)

            await eventually(all_counted, QUIET_SECONDS, every=0.2)
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
        for send, tries in self._doorman.tried.items():
            if send in self._told.sends:
                assert {(send, player) for player, _ in tries} <= displayed

    async def _seen(self, send: str) -> Seen:
        """(player, kind) as MongoDB has them."""
        seen: Seen = set()
        async with self._world.mongo() as database:
            members = {
                page["_id"]: [member[0] for member in page["members"]]
                async for page in database["pages"].find({"send": send})
            }
            async for found in database["interactions"].find({"send": send}):
                for kind, by_index in found["seen"].items():
                    seen |= {(members[found["_id"]][int(i)], kind) for i in by_index}
        return seen

    async def _only_the_poison_is_dead(self, planted: int) -> None:
        async def all_dead() -> bool:
            return sum(map(is_planted, await letters(self._world))) >= planted

        await eventually(all_dead, QUIET_SECONDS, every=0.2)
        strange = [d for d in await letters(self._world) if not is_planted(d)]
        described = [(d["stage"], d["topic"], d["code"], d["message"]) for d in strange]
        assert not described, f"dead letters that nobody planted: {described}"

    def _memory_is_bounded(self) -> None:
        self.memory = self._world.resident_megabytes()
        assert max(self.memory.values()) < MEMORY_MEGABYTES, self.memory
