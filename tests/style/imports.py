"""Imports among our modules: the graph, its cycles, its widest module, its longest chain."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tests.style.finding import Finding
from tests.style.sources import Source

Graph = dict[str, set[str]]


def import_graph(sources: Iterable[Source]) -> Graph:
    """Return which of the modules each one imports; imports in functions count, too."""
    modules = {source.module: source for source in sources}
    return {
        name: {target for target in _imported(source, modules) if target != name}
        for name, source in modules.items()
    }


def _imported(source: Source, modules: Mapping[str, Source]) -> Iterator[str]:
    for node in source.nodes:
        for name in _names(node):
            known = name if name in modules else name.rpartition(".")[0]
            if known in modules:
                yield known


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def room_of(module: str) -> str:
    """Return the room: a package's own file or folder."""
    return ".".join(module.split(".")[:2])


def room_graph(graph: Graph) -> Graph:
    """Return the imports between rooms. A package itself (its `__init__`) is no room."""
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for module, targets in graph.items():
        if "." in module:
            found = {room_of(target) for target in targets if "." in target}
            rooms[room_of(module)] |= found - {room_of(module)}
    return dict(rooms)


def cycles(graph: Graph) -> list[tuple[str, ...]]:
    """Return the pairs that import each other, and each larger knot that has no such pair."""
    found: list[tuple[str, ...]] = []
    for knot in _knots(graph):
        members = sorted(knot)
        pairs = [(a, b) for a in members for b in graph[a] if a < b and a in graph.get(b, ())]
        found += pairs or [tuple(members)]
    return sorted(found)


def _knots(graph: Graph) -> list[set[str]]:
    """Return the strongly connected components of more than one node."""
    reach = {node: reachable(graph, node) for node in graph}
    knots = {frozenset(n for n in reach[node] if node in reach.get(n, ())) for node in graph}
    return [set(knot) for knot in knots if len(knot) > 1]


def reachable(graph: Graph, start: str) -> set[str]:
    """Return all that a node reaches in one step or more."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def longest_chain(graph: Graph) -> list[str]:
    """Return the longest chain of imports; of modules in a cycle none comes twice."""
    best: dict[str, list[str]] = {}

    def chain(node: str, above: frozenset[str]) -> list[str]:
        if node not in best:
            below = (chain(t, above | {node}) for t in sorted(graph[node]) if t not in above)
            best[node] = [node, *max(below, key=len, default=[])]
        return best[node]

    return max((chain(node, frozenset({node})) for node in sorted(graph)), key=len, default=[])


def find_test_imports(sources: Iterable[Source]) -> list[Finding]:
    """Find imports of test modules."""
    return [
        Finding(source.path, node.lineno, ast.unparse(node).splitlines()[0])
        for source in sources
        for node in source.nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        if any(part.startswith("test_") for name in _names(node) for part in name.split("."))
    ]
