"""Tests of how commands print: whole ids, data as it is, and nothing that the terminal can't write."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import uuid

import orjson
import pytest
from rich.console import Console
from rich.table import Table

from sender_service.cli.ops import rows
from sender_service.cli.screen import open_console, print_json, print_tables

IDS = [str(uuid.UUID(int=n)) for n in (1, 2)]
CODE = """
from rich.table import Table
from sender_service.cli.ops import rows
from sender_service.cli.screen import open_console, print_json, print_tables
from shared.terminal import replace_unwritable
replace_unwritable()
table = rows(Table("n", "text"), ("1", "\\u0159e\\u017e \\U0001f600 :smile: [red]x[/red]"))
print_tables(open_console(), [table])
print_json(open_console(), {"a": "\\u0159\\U0001f600"})
"""


def a_table() -> Table:
    columns = ("at", "topic", "stage", "code", "message", "id", "replayed")
    long = ("2026-11-22T16:00:00.000Z", "carillon.triggers", "intake", "unknown_app", "no such app")
    return rows(Table(*columns, title="t"), *((*long, name, None) for name in IDS))


@pytest.mark.parametrize("width", [20, 80, 300])
def test_n10_ids_are_whole_at_any_width(width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, markup=False, emoji=False)
    print_tables(console, [a_table()])
    assert all(name in file.getvalue() for name in IDS) and "\u2026" not in file.getvalue()


def test_n10_pipes_get_no_boxes() -> None:
    file = io.StringIO()
    print_tables(open_console(file), [a_table(), rows(Table("a"), ("b",))])
    title, head, *lines, empty, _, cell = file.getvalue().splitlines()
    assert title == "t" and head.split("\t")[0] == "at" and len(lines) == 2
    assert (empty, cell) == ("", "b")
    assert lines[0].split("\t")[5:] == [IDS[0], "-"]


@pytest.mark.parametrize("terminal", [True, False])
def test_f20_emoji_codes_and_markup_in_data_mean_nothing(terminal: bool) -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=terminal, markup=False, emoji=False)
    print_tables(console, [rows(Table("text", title=":smile: [b]"), (":smile: [red]x[/red]",))])
    assert ":smile: [b]" in file.getvalue() and ":smile: [red]x[/red]" in file.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("terminal", [True, False])
def test_f20_letters_that_the_terminal_lacks_are_replaced(encoding: str, terminal: bool) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "TERM": "xterm"}
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-c", CODE], env=env, check=False, timeout=60, stderr=subprocess.PIPE,
            stdout=theirs if terminal else subprocess.PIPE,
        )  # fmt: skip
        screen = os.read(ours, 100_000) if terminal else ended.stdout
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 0, ended.stderr.decode()
    text = screen.decode(encoding)
    assert ":smile: [red]x[/red]" in text and "?" in text
    assert orjson.loads(text[text.rindex("{") :]) == {"a": "\u0159\U0001f600"}


def test_json_is_utf_8_where_that_can_be_written() -> None:
    file = io.StringIO()
    print_json(open_console(file), {"a": "\u0159"})
    assert file.getvalue() == '{\n  "a": "\u0159"\n}\n'
