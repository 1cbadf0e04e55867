"""Command of `make style`: prints the figures, or with `--list` the places behind them."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.style.ceilings import above, lower, read_limits
from tests.style.figures import measure
from tests.style.finding import Figure
from tests.style.sources import Checkout
from tests.style.table import matching, table_lines

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    figures = measure(Checkout(ROOT))
    if options.list is not None:
        return _list(figures, *options.list[:2])
    if options.lower:
        _print(lower(figures) or ["no ceiling can be lowered"])
        return 0
    limits = read_limits()
    _print(list(table_lines(figures, limits)))
    return 1 if above(figures, limits) else 0


def _list(figures: list[Figure], key: str = "", folder: str = "") -> int:
    keys = {name for figure in figures for name in (figure.key, figure.kind)}
    if key and key not in keys:
        _print([f"no such figure: {key}; there are {', '.join(sorted(keys))}"])
        return 2
    found = matching(figures, key, folder)
    _print([*map(str, found), f"{len(found)} found"])
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.style", description=__doc__)
    parser.add_argument(
        "--list",
        nargs="*",
        metavar=("FIGURE", "FOLDER"),
        help="places that a figure (docstrings, names.code) counts, in a folder (shared, sender/ops)",
    )
    parser.add_argument(
        "--lower", action="store_true", help="lower the ceilings to today's figures"
    )
    return parser.parse_args(arguments)


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make style | head`
    sys.exit(main())
