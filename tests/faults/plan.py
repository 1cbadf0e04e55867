"""The seeded plan: which faults a round has, when, and how long. Pure: a seed is a plan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

FAULTS_A_ROUND = 4  # about so many: each deck of all kinds is dealt evenly over whole rounds
WINDOW_SECONDS = 8.0  # of traffic, in which the faults begin
SHORTEST, LONGEST = 0.8, 4.0  # seconds that a fault lasts

PROCESSES = (
    "kill_ingest",
    "stop_ingest",
    "kill_sender",
    "stop_sender",
    "kill_database",
    "stop_database",
    "freeze_database",
    "kill_sandbox",
    "stop_sandbox",
    "kill_mid_batch_ingest",
    "kill_mid_batch_sender",
    "hold_and_kill_sender",
)
CLOCKS = ("clocks_differ", "clock_steps_ingest", "clock_steps_sender")
ONESIGNAL = (
    "storm_429",
    "errors_5xx",
    "hang",
    "accepted_then_timeout",
    "webhooks_lost_and_doubled",
)
LOG = ("poison",)
CLIENTS = ("pipelined_flood",)
DISK = ("disk_full_spool",)  # where a small file system may be mounted
SCENARIOS = ("kill_mid_firing", "projector_behind")
STORE = ("unknown_store_answers", "wrong_store_password")
# On a real Kafka only: the embedded log is in memory, and the embedded coordinator may never again
# assign a group whose members were killed while it was shared out (docs/faults.md).
BROKER = (
    "kill_broker",
    "stop_broker",
    "freeze_broker",
    "full_spool",
    "kill_ingest_spooling",
    "rebalance_storm",
)


@dataclass(frozen=True)
class Fault:
    """Fault of a round; `random_share`, in [0, 1), decides what else there is to decide."""

    kind: str
    at: float
    lasts: float
    random_share: float

    def __str__(self) -> str:
        return f"{self.kind}@{self.at:.1f}s/{self.lasts:.1f}s"


@dataclass(frozen=True)
class Round:
    number: int
    seed: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.number}-" + "+".join(fault.kind for fault in self.faults)


@dataclass(frozen=True)
class Choice:
    """Options of a run: `SEED=`, `ROUNDS=` (none: as many as deal every kind once), and `ROUND=`
    for one of them alone.
    """

    seed: str
    rounds: int | None
    only: int | None

    @classmethod
    def from_environment(cls) -> Choice:
        rounds, only = os.environ.get("ROUNDS"), os.environ.get("ROUND")
        return cls(
            os.environ.get("SEED") or f"{Random().getrandbits(32):08x}",
            int(rounds) if rounds else None,
            int(only) if only else None,
        )

    def again(self, number: int, *, on_cluster: bool) -> str:
        kafka = " KAFKA=cluster" if on_cluster else ""
        return f"make test-faults SEED={self.seed} ROUND={number}{kafka}"


def deal(choice: Choice, *, with_broker: bool, with_disk: bool) -> list[Round]:
    """Deal every kind once before any comes again, like cards from a shuffled deck."""
    dice = Random(f"carillon:{choice.seed}")
    kinds = (*PROCESSES, *CLOCKS, *ONESIGNAL, *LOG, *CLIENTS, *SCENARIOS, *STORE)
    kinds += (*(DISK if with_disk else ()), *(BROKER if with_broker else ()))
    hands = _deal_for_ever(kinds, dice)
    all_kinds_once = _rounds_a_deck(kinds)
    last = (choice.rounds or all_kinds_once) if choice.only is None else choice.only + 1
    rounds = [_round(number, choice.seed, next(hands), dice) for number in range(last)]
    return rounds if choice.only is None else rounds[-1:]


def _round(number: int, seed: str, kinds: tuple[str, ...], dice: Random) -> Round:
    faults = (
        Fault(
            kind,
            round(dice.uniform(0, WINDOW_SECONDS * 0.75), 2),
            round(dice.uniform(SHORTEST, LONGEST), 2),
            dice.random(),
        )
        for kind in kinds
    )
    return Round(number, f"{seed}:{number}", tuple(sorted(faults, key=lambda fault: fault.at)))


def _deal_for_ever(kinds: tuple[str, ...], dice: Random) -> Iterator[tuple[str, ...]]:
    """Yield the kinds of each round, none of which it has twice."""
    rounds = _rounds_a_deck(kinds)
    while True:
        deck = dice.sample(kinds, len(kinds))
        for number in range(rounds):
            yield tuple(deck[number::rounds])


def _rounds_a_deck(kinds: tuple[str, ...]) -> int:
    return round(len(kinds) / FAULTS_A_ROUND)
