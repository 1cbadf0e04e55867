"""The snippet's text: sources as a person writes them, in the language of the oldest browsers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ingest_service.snippet.assembly import FILES, JS, assemble
from tests.contract.ingest.snippet_app import snippet_app

ES2018_ON = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish": r"\?\?",
    "catch without a name": r"catch \{",
    "spread of an object": r"\{ ?\.\.\.|, \.\.\.\w+ \}",
    "finally of a promise": r"\.finally\(",
    "look-behind, named group": r"\(\?<",
    "regular expression's s or v": r"/[gimuy]*[sv][gimuy]*\.(test|exec)\(",
    "for await": r"for await",
    "bigint": r"\b\d+n\b",
    "private or class field": r"#\w+",
    "separator in a number": r"\d_\d",
    "late methods": r"\.(flat|flatMap|at|replaceAll|matchAll|fromEntries|hasOwn|trimStart)\(",
    "late globals": r"\b(globalThis|structuredClone|queueMicrotask|randomUUID|AbortSignal)\b",
}


@pytest.mark.parametrize("late", ES2018_ON)
@pytest.mark.parametrize("flavour", FILES)
def test_syntax_is_that_of_the_oldest_browsers_that_docs_name(flavour: Any, late: str) -> None:
    """One later word, and an older browser runs nothing of it, with an error in the page's console."""
    code = re.sub(r'"[^"\n]*"', '""', assemble(flavour, snippet_app(), "wk_shop"))
    assert not re.findall(ES2018_ON[late], code)


@pytest.mark.parametrize(
    ("late", "code"),
    [
        ("optional chaining", "a?.b"),
        ("nullish", "a ?? b"),
        ("catch without a name", "try {} catch {"),
        ("spread of an object", "({ ...a })"),
        ("spread of an object", "({ a, ...b })"),
        ("finally of a promise", "p.finally(f)"),
        ("look-behind, named group", "/(?<=a)b/"),
        ("regular expression's s or v", "/a.b/s.test(c)"),
        ("late methods", "a.flat()"),
        ("late globals", "crypto.randomUUID()"),
    ],
)
def test_later_syntax_is_noticed(late: str, code: str) -> None:
    assert re.search(ES2018_ON[late], code)


@pytest.mark.parametrize("path", sorted(JS.glob("*.js")), ids=lambda path: path.name)
def test_sources_are_written_by_hand(path: Any) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 250
    assert max(map(len, lines)) <= 108
    assert lines[0].startswith("// ")  # what it is for


@pytest.mark.parametrize("flavour", FILES)
def test_comments_indents_and_names_of_constants_are_all_that_is_left_out(flavour: Any) -> None:
    served = assemble(flavour, snippet_app(), "wk_shop").split("try {\n", 1)[1]
    served = served.split("\n} catch (error) {\n  console")[0]
    code = "\n".join(_code_lines(flavour))
    constant = re.compile(r"^const ([A-Z][A-Z0-9_]*) =", re.MULTILINE)
    names = dict(zip(constant.findall(code), constant.findall(served), strict=True))
    assert len(set(names.values())) == len(names)
    assert not [name for name in names.values() if re.search(rf"\b{name}\b", code)]
    assert served == re.sub(r"\b[A-Z][A-Z0-9_]+\b", lambda word: names.get(word[0], word[0]), code)


@pytest.mark.parametrize("flavour", FILES)
def test_constants_names_stand_for_nothing_else(flavour: Any) -> None:
    code = "\n".join(_code_lines(flavour))
    texts = re.findall(r'"[^"\n]*"', code) + re.findall(r"\.[A-Z][A-Z0-9_]+\b", code)
    for name in re.findall(r"^const ([A-Z][A-Z0-9_]+) =", code, re.MULTILINE):
        assert not [text for text in texts if re.search(rf"\b{name}\b", text)], name
        key = rf"[{{,]\s*{name}\s*:|(?<!\$)\{{\s*{name}\s*[,}}]"  # or short for one
        assert not re.search(key, code), name


def _code_lines(flavour: Any) -> list[str]:
    return [
        line.split(" // ")[0].strip()
        for name in FILES[flavour]
        for line in (JS / f"{name}.js").read_text().splitlines()
        if line.strip() and not line.strip().startswith("//")
    ]
