"""`make bench` [NAME …]: run the benchmarks named, or all of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import (
    dispatcher,
    governor,
    idle,
    ingest,
    loop,
    planner,
    projector,
    scenarios,
    sender,
)

BENCHMARKS: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    "dispatcher": dispatcher.main,
    "governor": governor.main,
    "idle": idle.main,
    "ingest": ingest.main,
    "loop": loop.main,
    "planner": planner.main,
    "projector": projector.main,
    "scenarios": scenarios.main,
    "sender": sender.main,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or list(BENCHMARKS):
        sys.stdout.write(f"\n== {name}: {sys.modules[BENCHMARKS[name].__module__].__doc__}\n")
        asyncio.run(BENCHMARKS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
