"""Names that a file defines: modules, classes, functions, arguments, variables, attributes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import PurePosixPath

from tests.style.sources import Source

_SCRIPT_NAME = re.compile(
    r"\b(?:function|var|let|const)\s+([A-Za-z_$][\w$]*)|([A-Za-z_$][\w$]*)\s*[:=]\s*function\b"
)


@cache
def definitions_of(source: Source) -> dict[str, int]:
    """Return each name that the file defines, with the line of its first definition."""
    found = _of_python(source) if source.is_python else _of_script(source)
    return _first_lines([*_of_path(source), *found])


def things_of(source: Source) -> dict[str, int]:
    """Return the names of the module, its classes, functions, fields and constants."""
    found = [
        (name, line)
        for node in source.nodes
        if (name := _thing(node)) is not None
        if (line := getattr(node, "lineno", 1))
    ]
    return _first_lines([*_of_path(source), *found])


def _first_lines(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    lines: dict[str, int] = {}
    for name, line in found:
        lines[name] = min(line, lines.get(name, line))
    return lines


def _of_path(source: Source) -> list[tuple[str, int]]:
    path = PurePosixPath(source.path)
    return [(path.parent.name if path.stem == "__init__" else path.stem, 1)]


def _of_python(source: Source) -> Iterator[tuple[str, int]]:
    for node in source.nodes:
        name = _defined(node)
        if name is not None:
            yield name, getattr(node, "lineno", 1)


def _thing(node: ast.AST) -> str | None:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.name
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Name(id=name, ctx=ast.Store()) if name.isupper():
            return name
        case _:
            return None


def _defined(node: ast.AST) -> str | None:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.name
        case ast.arg():
            return node.arg
        case ast.Name(ctx=ast.Store()):
            return node.id
        case ast.Attribute(ctx=ast.Store()):
            return node.attr
        case ast.alias() if node.asname is not None:
            return node.asname
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return node.name
        case _:
            return None


def _of_script(source: Source) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        for match in _SCRIPT_NAME.finditer(line):
            yield match[1] or match[2], number
