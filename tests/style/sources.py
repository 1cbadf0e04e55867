"""Tracked files of a git checkout, each read and parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

SERVICES = ("shared", "ingest_service", "sender_service")
CODE = (*SERVICES, "deploy")
PACKAGES = (*CODE, "tests")


class Source:
    """A tracked file of a package: Python, or a script of the snippet."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @property
    def package(self) -> str:
        return self.path.partition("/")[0]

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of a module's syntax; a script has none."""
        return list(ast.walk(self.tree)) if self.is_python else []

    @cached_property
    def line_count(self) -> int:
        return len(self.text.splitlines())

    @property
    def module(self) -> str:
        """Name of the module, or of the package whose `__init__` it is."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Checkout:
    """The files of a checkout that the measures read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def names(self) -> list[str]:
        """Paths of all tracked files that exist; empty outside a git checkout."""
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=self.root, capture_output=True, text=True
        )
        return [n for n in listed.stdout.split("\0") if n and (self.root / n).is_file()]

    @cached_property
    def sources(self) -> list[Source]:
        return [
            Source(name, (self.root / name).read_text(encoding="utf-8"))
            for name in self.names
            if name.endswith((".py", ".js")) and name.partition("/")[0] in PACKAGES
        ]

    def of(self, *packages: str) -> Iterator[Source]:
        """Yield the files of the packages, scripts too."""
        yield from (s for s in self.sources if s.package in packages)

    def python(self, *packages: str) -> list[Source]:
        return [s for s in self.of(*packages) if s.is_python]

    def text(self, name: str) -> str:
        """Return a file's text, empty where the file is missing."""
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""
