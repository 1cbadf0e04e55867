"""Tests that whatever documents and code refer to is there.

Files, pages, headings, decisions, tests, targets.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.style.references import Tree, dead_references, find_dead_references, to_anchor

ROOT = Path(__file__).parents[2]
README_WORDS = 900


@pytest.fixture(scope="module")
def tree() -> Tree:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    return Tree.of(ROOT)


def test_no_reference_leads_nowhere(tree: Tree) -> None:
    assert find_dead_references(tree) == []


def test_dead_reference_is_found_at_its_line(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "README.md").write_text("One.\n\nSee [there](gone.md), and `make gone`.\n")
    found = map(str, find_dead_references(Tree.of(tmp_path)))
    assert list(found) == [
        "README.md:3: leads nowhere: gone.md", "README.md:3: leads nowhere: make gone"
    ]  # fmt: skip


def test_each_page_is_in_the_navigation_once(tree: Tree) -> None:
    listed = re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.md)$", tree.read("mkdocs.yml"), re.M)
    pages = [name.removeprefix("docs/") for name in tree.files if re.match(r"docs/.*\.md$", name)]
    assert sorted(listed) == sorted(pages)


def test_each_decision_is_listed_under_its_title(tree: Tree) -> None:
    index = tree.read("docs/decisions/index.md")
    named = {
        int(n): (file, title)
        for n, title, file in re.findall(r"\| (\d+) \| \[(.+)\]\((\S+)\)", index)
    }
    assert named.keys() == tree.decisions
    for number, (file, title) in named.items():
        first = tree.read(f"docs/decisions/{file}").splitlines()[0]
        assert first == f"# {number}. {title}"


def test_the_readme_is_short(tree: Tree) -> None:
    assert len(tree.read("README.md").split()) <= README_WORDS


@pytest.mark.parametrize(
    "text",
    [
        "see [there](docs/gone.md)", "see [there](docs/design.md#gone)", "[up](../../else.md)",
        "docs/gone.md has it", "`shared/gone.py`", "`gone_module.py`", "as GONE.md says",
        "(DESIGN 2.3)", "FAULTS, section 3", "(docs/design.md 9.9)", "docs/onesignal.md A99",
        'docs/browser.md, "Gone"', "decision 9999", "docs/decisions/9999", "`shared.gone_module`",
        "`test_gone_and_away`", "`make gone`",
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_found(tree: Tree, text: str) -> None:
    assert dead_references(tree, "README.md", text)


@pytest.mark.parametrize(
    "text",
    [
        "[design](docs/design.md#23-never-more-than-allowed)", "[x](https://shop.example/docs/a.md)",
        "(docs/design.md 2.3)", "docs/onesignal.md A5 and G", "decision 13", "`make test`",
        'docs/browser.md, "Proving a login"', "`tests/unit`", "`shared.errors`", "/docs/oauth2-redirect",
        "```md\n[x](gone.md)\n```", "SECURITY.md",
    ],
)  # fmt: skip
def test_what_leads_somewhere_is_left_alone(tree: Tree, text: str) -> None:
    assert dead_references(tree, "README.md", text) == []


def test_anchors_are_the_site_builders() -> None:
    assert to_anchor("2.3 Never more than allowed") == "23-never-more-than-allowed"
    assert to_anchor("A5. Responses (`POST /notifications`)") == "a5-responses-post-notifications"
