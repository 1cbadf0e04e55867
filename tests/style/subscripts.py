"""Subscripts by a string key (`send["state"]`), whose mistakes show only at run time."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.style.finding import Finding
from tests.style.sources import Source

# Stores and their codecs read documents; the page module is the one that knows a page's arrays.
_FREE_ROOMS = frozenset({"store", "pages"})
_FREE_MODULES = frozenset({"store", "page", "pages"})
_TYPES = frozenset({"Literal", "Annotated", "list", "dict", "tuple", "set", "type", "frozenset"})


def counted(sources: Iterable[Source]) -> list[Source]:
    """Leave out stores and page modules."""
    return [s for s in sources if not _is_free(PurePosixPath(s.path))]


def _is_free(path: PurePosixPath) -> bool:
    is_store = path.stem in _FREE_MODULES or path.stem.endswith("_codec")
    return is_store or bool(_FREE_ROOMS.intersection(path.parent.parts))


def find_string_keys(sources: Iterable[Source]) -> list[Finding]:
    return [
        Finding(source.path, node.lineno, ast.unparse(node).splitlines()[0])
        for source in sources
        for node in source.nodes
        if isinstance(node, ast.Subscript) and _is_string_key(node)
    ]


def _is_string_key(node: ast.Subscript) -> bool:
    key = node.slice
    of_type = isinstance(node.value, ast.Name) and node.value.id in _TYPES
    return isinstance(key, ast.Constant) and isinstance(key.value, str) and not of_type
