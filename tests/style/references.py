"""References to files, headings, decisions, tests and targets in a text, and which of them lead nowhere."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from tests.style.finding import Finding

FOLDERS = "docs|shared|ingest_service|sender_service|deploy|tests|requirements"
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
PATH = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w)")
BARE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|md))`")
DOCUMENT = re.compile(r"(?<![\w/.-])([A-Z]{4,}\.md)\b")
OLD_SECTION = re.compile(
    r"\b((?:DESIGN|ONESIGNAL|PERSOO|FAULTS|ARCHITECTURE)(?:,? section)? [A-H]?\d[\d.]*)"
)
SECTION = re.compile(r"(docs/[\w-]+\.md) ([A-H]\d*|\d+(?:\.\d+)*)(?![\w-])")
QUOTED = re.compile(r"(docs/[\w-]+\.md), [\"']([^\"'\n]+)[\"']")
DECISION = re.compile(r"(?:\bdecisions? |docs/decisions/)(\d{1,4})\b")
MODULE = re.compile(r"`((?:shared|ingest_service|sender_service|deploy|tests)\.[a-z_][\w.]*\w)`")
TEST = re.compile(r"`(test_\w+)`")
TARGET = re.compile(r"`make ([a-z][a-z-]*)")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
CHECKED = (".md", ".py", ".js", ".toml", ".in", ".yml", "Makefile", ".ci/run")
# They show what is found, or name what a tree of their own holds.
OWN = ("tests/style/references.py", "tests/unit/test_references.py")
OWN_TREES = "tests/unit/style/"
# Pages with facts about other companies' repositories, whose files they name.
ABOUT_OTHERS = ("docs/onesignal.md", "docs/persoo.md")


def to_anchor(heading: str) -> str:
    """Return the heading's anchor, as the site's builder makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def headings_of(text: str) -> list[str]:
    return HEADING.findall(FENCE.sub("", text))


@dataclass(frozen=True)
class Tree:
    """The checkout: its tracked files, and those that are not yet."""

    root: Path
    files: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, root: Path) -> Tree:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        return cls(root, frozenset(name for name in listed if (root / name).is_file()))

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    @cached_property
    def folders(self) -> frozenset[str]:
        return frozenset(str(above) for name in self.files for above in PurePosixPath(name).parents)

    @cached_property
    def decisions(self) -> frozenset[int]:
        numbers = (re.match(r"docs/decisions/(\d{4})-", name) for name in self.files)
        return frozenset(int(found[1]) for found in numbers if found)

    @cached_property
    def tests(self) -> frozenset[str]:
        modules = [name for name in self.files if re.search(r"/test_\w+\.py$", name)]
        named = (re.findall(r"def (test_\w+)", self.read(name)) for name in modules)
        return frozenset({PurePosixPath(name).stem for name in modules}.union(*named))

    @cached_property
    def targets(self) -> frozenset[str]:
        rules = self.read("Makefile") if self.has("Makefile") else ""
        return frozenset(re.findall(r"^([a-z][a-z-]*):", rules, re.M))

    def has(self, path: str) -> bool:
        return path in self.files or path in self.folders

    def has_ending(self, path: str) -> bool:
        return any(name == path or name.endswith("/" + path) for name in self.files)

    def has_module(self, dotted: str) -> bool:
        """Accept a module, a package, or a name within one."""
        path = dotted.replace(".", "/")
        return any(
            self.has(path_) for path_ in (path, f"{path}.py", f"{path.rpartition('/')[0]}.py")
        )


def dead_links(tree: Tree, name: str, text: str) -> Iterator[str]:
    """Yield links of a Markdown page to files and anchors that aren't there."""
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        page = _join(name, path) if path else name
        is_page = page.endswith(".md") and page in tree.files
        has_anchor = not anchor or (
            is_page and anchor in map(to_anchor, headings_of(tree.read(page)))
        )
        if not (tree.has(page) and has_anchor):
            yield target


def dead_names(tree: Tree, name: str, text: str) -> Iterator[str]:
    """Yield paths, documents, modules, tests and targets that are named but aren't there."""
    for path in PATH.findall(text):
        if not (tree.has(path) or tree.has(f"{path}.py") or DECISION.fullmatch(path)):
            yield path
    yield from OLD_SECTION.findall(text)
    yield from (dotted for dotted in MODULE.findall(text) if not tree.has_module(dotted))
    if name in ABOUT_OTHERS:
        return
    yield from (one for one in DOCUMENT.findall(text) if not tree.has(one))
    yield from (bare for bare in BARE.findall(text) if not tree.has_ending(bare))
    yield from (test for test in TEST.findall(text) if test not in tree.tests)
    yield from (f"make {one}" for one in TARGET.findall(text) if one not in tree.targets)


def dead_sections(tree: Tree, text: str) -> Iterator[str]:
    """Yield sections and decisions, by their number or title, that aren't there."""
    for number in DECISION.findall(text):
        if int(number) not in tree.decisions:
            yield f"decision {number}"
    for page, label in SECTION.findall(text):
        if not any(re.match(rf"{re.escape(label)}[. ]", one) for one in _headings(tree, page)):
            yield f"{page} {label}"
    for page, title in QUOTED.findall(text):
        if title not in _headings(tree, page):
            yield f"{page}, {title}"


def dead_references(tree: Tree, name: str, text: str) -> list[str]:
    """Return all that the file refers to and that isn't there."""
    links = dead_links(tree, name, text) if name.endswith(".md") else ()
    return [*links, *dead_names(tree, name, text), *dead_sections(tree, text)]


def find_dead_references(tree: Tree) -> list[Finding]:
    """Return all references of the checkout's files that lead nowhere, each at its first line."""
    names = sorted(
        name
        for name in tree.files
        if name.endswith(CHECKED) and name not in OWN and not name.startswith(OWN_TREES)
    )
    texts = {name: tree.read(name) for name in names}
    return [
        Finding(name, _line_of(text, dead), f"leads nowhere: {dead}")
        for name, text in texts.items()
        for dead in dead_references(tree, name, text)
    ]


def _line_of(text: str, found: str) -> int:
    return text[: max(0, text.find(found))].count("\n") + 1


def _headings(tree: Tree, page: str) -> list[str]:
    return headings_of(tree.read(page)) if page in tree.files else []


def _join(name: str, path: str) -> str:
    """Resolve a link of the file `name`, without leaving the tree."""
    parts: list[str] = list(PurePosixPath(name).parent.parts)
    for part in PurePosixPath(path).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return path
    return "/".join(parts)
