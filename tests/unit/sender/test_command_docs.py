"""docs/ops.md lists each command of an operator."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

from sender_service.__main__ import build_parser

LINE = re.compile(r"^python -m sender_service (.+)$", re.M)
NAMES = re.compile(r"^  \{([a-z,-]+)\}$", re.M)
WRITES_DOCS = {("schemas",)}


def commands_of(*group: str) -> list[str]:
    """Return the names of the commands, or of a group's, by the help; none of a command."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        build_parser().parse_args([*group, "--help"])
    found = NAMES.search(printed.getvalue())
    return found[1].split(",") if found else []


def commands() -> Iterator[tuple[str, ...]]:
    """Yield each command, with its group's name before it."""
    for name in commands_of():
        names = commands_of(name)
        yield from ((name, each) for each in names)
        if not names:
            yield (name,)


def listed(text: str, groups: set[str]) -> Iterator[tuple[str, ...]]:
    for line in LINE.findall(text):
        first, second = [*line.split(), ""][:2]
        names = second.split("|") if first in groups else []
        yield from ((first, name) for name in names)
        if not names:
            yield (first,)


def test_each_command_is_listed() -> None:
    known = set(commands()) - WRITES_DOCS
    groups = {command[0] for command in known if len(command) > 1}
    found = set(listed(Path("docs/ops.md").read_text(), groups))
    assert known - found == set() and found - known == set()
