"""`make map`: the tree of Python modules, each with the first line of its docstring."""

from __future__ import annotations

import ast
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("ingest_service", "sender_service", "shared", "deploy", "tests")
INDENT = "  "
COLUMN = 34  # where the descriptions begin


def describe(module: Path) -> str:
    """Return the first line of the module's docstring; empty without one."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    return docstring.splitlines()[0] if docstring else ""


def lines_of(folder: Path, depth: int = 0) -> Iterator[str]:
    """Yield a folder's own line, its modules, then its folders; nothing where there is no module."""
    if not any(folder.rglob("*.py")):
        return
    package = folder / "__init__.py"
    yield _line(f"{folder.name}/", describe(package) if package.exists() else "", depth)
    entries = sorted(folder.iterdir())
    for module in entries:
        if module.suffix == ".py" and module != package:
            yield _line(module.name, describe(module), depth + 1)
    for inner in entries:
        if inner.is_dir() and inner.name != "__pycache__":
            yield from lines_of(inner, depth + 1)


def _line(name: str, text: str, depth: int) -> str:
    return f"{INDENT * depth + name:<{COLUMN}} {text}".rstrip()


def main() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make map | head`
    for folder in FOLDERS:
        for line in lines_of(ROOT / folder):
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
