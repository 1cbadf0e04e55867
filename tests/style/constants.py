"""Constants that several modules define under one name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.style.finding import Finding
from tests.style.sources import Source

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


def constants_of(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the public constants that a module assigns, without type variables."""
    for node in source.tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or _is_type_variable(node.value):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and _CONSTANT.fullmatch(target.id):
                yield target.id, node.lineno


def _is_type_variable(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith(
        ("TypeVar", "ParamSpec")
    )


def shared_names(sources: Iterable[Source]) -> dict[str, list[Finding]]:
    """Return the places of each constant that several modules define."""
    places: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for source in sources:
        for name, line in constants_of(source):
            places[name].setdefault(source.path, line)
    return {
        name: [Finding(path, line, name) for path, line in sorted(lines.items())]
        for name, lines in sorted(places.items())
        if len(lines) > 1
    }
