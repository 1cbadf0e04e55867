"""Tests that the collection `sends` has one writer: `store/sends.py`, which lends it to its queue."""

from __future__ import annotations

import ast
from pathlib import Path

SENDER = Path(__file__).parents[3] / "sender_service"
WRITER = SENDER / "store" / "sends.py"
READING = {"find", "find_one", "count_documents"}
# Functions that a collection is given to.
READERS = {"read_all", "walk", "walk_index", "newest_of", "_by_head"}


def collections_of_sends(tree: ast.AST) -> set[str]:
    """Return the attributes that a module keeps the collection under."""
    return {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).endswith("[SENDS.name]")
        for target in node.targets
    }


def other_uses(tree: ast.AST) -> list[str]:
    """Return uses of the collection that don't only read it."""
    kept = collections_of_sends(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    reading = {
        id(node.func.value)
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr in READING
    } | {
        id(argument)
        for node in calls
        if isinstance(node.func, ast.Name) and node.func.id in READERS
        for argument in node.args
    }
    loads = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in loads
        if ast.unparse(node) in kept and id(node) not in reading
    ]


def test_only_the_store_of_sends_writes_them() -> None:
    seen = 0
    for file in sorted(SENDER.rglob("*.py")):
        tree = ast.parse(file.read_text())
        if file == WRITER:
            continue
        text = file.read_text()
        assert 'database["sends"]' not in text, file
        subscripts = text.count("[SENDS.name]")
        assert subscripts == len(collections_of_sends(tree)), f"{file}: used without a name"
        seen += subscripts
        assert other_uses(tree) == [], file
    assert seen >= 1  # else this test looks for what isn't there any more


def test_a_writer_elsewhere_would_be_found() -> None:
    source = "self._sends = database[SENDS.name]\nself._sends.update_one({}, {})"
    assert other_uses(ast.parse(source)) == ["line 2: self._sends"]
    assert other_uses(ast.parse(source.replace("update_one", "find_one"))) == []
