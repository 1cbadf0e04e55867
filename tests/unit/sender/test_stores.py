"""`Stores` is the only way to a store: nothing outside of its room opens one."""

from __future__ import annotations

import ast
from pathlib import Path

SENDER = Path(__file__).parents[3] / "sender_service"
ROOM = SENDER / "store"

OPENERS = {
    "stores.py": "open",
    "scenario_stores.py": "open_scenario_stores",
    "send_stores.py": "open_send_stores",
}


def store_classes() -> set[str]:
    """Return the classes that the store's openers open."""
    opened = [
        node
        for file, name in OPENERS.items()
        for node in ast.walk(ast.parse((ROOM / file).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    calls = [node.func for each in opened for node in ast.walk(each) if isinstance(node, ast.Call)]
    return (
        {func.id for func in calls if isinstance(func, ast.Name)}
        - {"cls", "vars"}
        - {*OPENERS.values()}
    )


def opened_in(tree: ast.AST, classes: set[str]) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [(node.lineno, node.func.id) for node in calls if isinstance(node.func, ast.Name)]
    return [f"line {line}: {name}" for line, name in names if name in classes]


def test_stores_are_opened_once() -> None:
    classes = store_classes()
    assert {"SendStore", "PageStore", "AppStore", "RunStore", "FiringStore"} <= classes
    for file in sorted(SENDER.rglob("*.py")):
        if file.parent != ROOM:
            assert opened_in(ast.parse(file.read_text()), classes) == [], file


def test_another_opening_would_be_found() -> None:
    tree = ast.parse("sends = SendStore(database)")
    assert opened_in(tree, {"SendStore"}) == ["line 1: SendStore"]
