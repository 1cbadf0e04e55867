"""Output of commands: tables at a terminal, tab-separated lines for pipes, JSON.

Ids are never cut: the next command needs them whole.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from io import StringIO
from typing import IO, Any

import orjson
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_BREAKS = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


class DataConsole(Console):
    """Console for pipes, too. Raises BrokenPipeError for a closed pipe, which ends the command."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def open_console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """Return a console that prints data as it is, without emoji codes and markup."""
    target = sys.stdout if file is None else file
    return DataConsole(
        file=target, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True
    )


def error_console() -> Console:
    return open_console(sys.stderr)


def print_tables(console: Console, tables: Sequence[Table]) -> None:
    for number, table in enumerate(tables):
        if console.is_terminal:
            _print_boxed(console, table)
        else:
            console.file.write("\n" * (number > 0) + to_lines(table))


def _print_boxed(console: Console, table: Table) -> None:
    """Print a table at least as wide as the longest words of its columns, so nothing is cut."""
    for column in table.columns:
        column.overflow = "fold"
        words = (word for cell in (column.header, *column.cells) for word in str(cell).split())
        column.min_width = max(map(cell_len, words), default=1)
    if not console.encoding.startswith("utf"):
        table.box = box.ASCII
    least = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    width = max(console.width, least)
    page = Console(
        file=StringIO(), width=width, force_terminal=True, highlight=False, markup=False,
        emoji=False, color_system=None if console.no_color else "standard",
    )  # fmt: skip
    with page.capture() as captured:
        page.print(table, crop=False)
    console.file.write(captured.get())


def to_lines(table: Table) -> str:
    """Return the table as tab-separated lines: title, header, rows, caption."""
    head = [str(column.header) for column in table.columns]
    lines = [_line([str(table.title)])] if table.title else []
    lines += [_line(head)] if all(head) else []
    lines += [_line(row) for row in zip(*(column.cells for column in table.columns), strict=True)]
    lines += [_line([str(table.caption)])] if table.caption else []
    return "".join(lines)


def _line(cells: Sequence[Any]) -> str:
    return "\t".join(str(cell).translate(_BREAKS) for cell in cells) + "\n"


def print_json(console: Console, body: Any) -> None:
    """Print a body as JSON; escaped where the encoding lacks a character."""
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError:
        text = json.dumps(body, indent=2)
    console.file.write(text + "\n")
