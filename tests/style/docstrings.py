"""Docstrings that begin neither with a verb nor with the noun that the thing is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache

from tests.style.finding import Finding
from tests.style.sources import Source
from tests.style.words import word_set

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

# Prepositions, pronouns, conjunctions, question words, adverbs, auxiliaries: closed classes, so complete.
WRONG = word_set(
    """
    of at in on for from to with without by as into onto upon within behind beside between before after
    under over around about against through than like unlike per since until till off out up down back
    what who whom whose which where when whether how why whoever whatever whichever whenever wherever
    it its this that these those they their them he she his her we our us you your i
    somebody nobody everybody anybody someone everyone something nothing everything anything
    each every neither either none true false
    and or but if because unless although though so while once then else
    also only not no never always perhaps still already again now here there
    is are was were did does has had can could may might must should will would
    """
)
# Right before a noun ("One run", "All texts of a campaign"), wrong before another word of WRONG.
_NUMBERS = word_set("one two all both several some another many more most few any such")
ARTICLES = word_set("the a an")
_PARTICIPLE = re.compile(
    r"(?!(?:Embed|Feed|Seed|Speed|Need|Proceed|Exceed|Succeed|Shed)\b)\w+ed"
    r" (?:by|when|where|while|until|once|as|in|with|from|before|after|for)\b"
)
_QUOTED = re.compile(r"`(\w+)`")
_WORD = re.compile(r"\w+(?:'\w+)?")


@cache
def docstrings_of(source: Source) -> list[tuple[Documented, str]]:
    return [
        (node, text)
        for node in source.nodes
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
    ]


def begins_wrongly(node: Documented, text: str) -> bool:
    if text[0] in "([{":
        return True
    if (named := _QUOTED.match(text)) is not None:
        return named[1] in _parts_of(node)
    words = _WORD.findall(text.lower())[:2]
    if not words:
        return True
    if words[0] in _NUMBERS or words[0].isdigit():
        return len(words) == 1 or words[1] in WRONG
    return words[0].removesuffix("'s") in WRONG or _PARTICIPLE.match(text) is not None


def begins_with_article(node: Documented, text: str) -> bool:
    """Return whether a function's docstring begins with an article, where a verb should be."""
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return is_function and not _is_property(node) and text.split()[0].lower() in ARTICLES


def _parts_of(node: Documented) -> set[str]:
    """Return a function's arguments, or a class's fields and methods: none of them is the thing."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        case ast.ClassDef():
            fields = {ast.unparse(n.target) for n in node.body if isinstance(n, ast.AnnAssign)}
            return fields | {n.name for n in node.body if isinstance(n, Documented) and n.name}
        case _:
            return set()


def _is_property(node: Documented) -> bool:
    marks = getattr(node, "decorator_list", [])
    return any("property" in ast.unparse(mark) for mark in marks)


def find_wrong_starts(sources: Iterable[Source]) -> list[Finding]:
    return [
        _finding(s, *each) for s in sources for each in docstrings_of(s) if begins_wrongly(*each)
    ]


def find_articles(sources: Iterable[Source]) -> list[Finding]:
    return [
        _finding(s, *each)
        for s in sources
        for each in docstrings_of(s)
        if begins_with_article(*each)
    ]


def _finding(source: Source, node: Documented, text: str) -> Finding:
    line = 1 if isinstance(node, ast.Module) else node.body[0].lineno
    return Finding(source.path, line, f"{getattr(node, 'name', 'module')}: {text.splitlines()[0]}")
