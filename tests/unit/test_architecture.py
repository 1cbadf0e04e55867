"""Rules of the house that no linter knows: sizes, headings, what must not be in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from shared.kafka import topics

ROOT = Path(__file__).parents[2]
MAX_LINES = 250
# Pure data of a test may be longer than code should be.
LONGER = {"tests/integration/sender/test_parts.py"}


def tracked(*endings: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return [name for name in listed if name.endswith(endings) and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def modules() -> list[str]:
    found = tracked(".py")
    if not found:
        pytest.skip("not a git checkout")
    return found


def test_files_stay_small(modules: list[str]) -> None:
    sizes = {name: len((ROOT / name).read_text().splitlines()) for name in modules}
    assert not {n: s for n, s in sizes.items() if s > MAX_LINES and n not in LONGER}


def test_each_module_states_what_it_is(modules: list[str]) -> None:
    texts = {n: (ROOT / n).read_text() for n in modules}
    silent = [n for n, text in texts.items() if text and not ast.get_docstring(ast.parse(text))]
    assert not silent


def test_no_address_of_a_registry_nor_path_of_a_machine() -> None:
    forbidden = re.compile(r"(^|[^A-Za-z0-9_])/(?:wor" + r"k|roo" + r"t)/|index-ur" + r"l\s*[=:]")
    texts = tracked(".py", ".txt", ".in", ".md", ".toml", ".xml", ".js", "Makefile", "run")
    guilty = [
        name
        for name in texts
        if name != "tests/unit/test_architecture.py"
        and any(forbidden.search(line) for line in (ROOT / name).read_text().splitlines())
    ]
    assert not guilty


def test_only_stores_name_a_document_of_anything(modules: list[str]) -> None:
    stores = ("shared/mongo/", "sender_service/store/")
    single = {"ingest_service/projector/store.py", "ingest_service/replay/staging.py"}
    services = [
        n for n in modules if n.startswith(("shared/", "ingest_service/", "sender_service/"))
    ]
    others = [n for n in services if not n.startswith(stores) and n not in single]
    assert not [n for n in others if "Document" in _names(ast.parse((ROOT / n).read_text()))]


def test_another_name_for_a_document_would_be_found() -> None:
    assert "Document" in _names(ast.parse("from shared.mongo.client import Document as Any"))
    assert "Document" in _names(ast.parse("found: client.Document = {}"))


def _names(tree: ast.AST) -> set[str]:
    """Return the names that a module uses, imports or takes from another."""
    found = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.add(name)
    return found


def test_nothing_large_or_minified_is_kept() -> None:
    heavy = {n: (ROOT / n).stat().st_size for n in tracked("") if (ROOT / n).is_file()}
    assert not {n: size for n, size in heavy.items() if size > 400 * 1024}
    assert not [n for n in heavy if n.endswith((".min.js", ".min.css"))]


def test_each_group_of_a_topic_is_read_by_a_stage(modules: list[str]) -> None:
    # Records count as consumed once each group has them: one that nobody reads for keeps them for ever.
    services = ("ingest_service/", "sender_service/")
    code = "".join((ROOT / n).read_text() for n in modules if n.startswith(services))
    named = {name: value for name, value in vars(topics).items() if name.endswith("_GROUP")}
    assert {group for topic in topics.TOPICS for group in topic.groups} == set(named.values())
    assert not [name for name in named if not re.search(rf"\b{name}\b", code)]
