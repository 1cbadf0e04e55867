"""Ceilings and the figures of a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.style.ceilings import Limit, above, lower, read_limits, slack
from tests.style.figures import measure
from tests.style.finding import Figure
from tests.style.sources import Checkout
from tests.style.table import matching, table_lines


def commit(root: Path, **texts: str) -> Checkout:
    """Write files (`a__b` is a/b.py) and track them."""
    for name, text in texts.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return Checkout(root)


def test_all_figures_have_limits(tmp_path: Path) -> None:
    # A figure without a limit, or a limit without a figure, would be seen by nobody.
    checkout = commit(
        tmp_path, shared__a='"""By it."""\nKEY = 1', tests__b="", ingest_service__c=""
    )
    figures = measure(checkout)
    limits = read_limits()
    assert [figure.key for figure in figures] == list(limits)
    values = {figure.key: figure.value for figure in figures}
    assert values["docstrings.shared"] == 100
    assert values["told.sender_service"] == 0
    assert len(list(table_lines(figures, limits))) == len(limits) + 1
    assert [str(f) for f in matching(figures, "docstrings", "shared")] == [
        "shared/a.py:1: module: By it."
    ]
    assert matching(figures, "docstrings", "sender") == []


def test_untracked_files_are_not_read(tmp_path: Path) -> None:
    checkout = commit(tmp_path, shared__a="")
    (tmp_path / "shared" / "b.py").write_text("")
    assert checkout.names == ["shared/a.py"]


def test_ceilings_fall_and_never_rise(tmp_path: Path) -> None:
    path = tmp_path / "ceilings.toml"
    path.write_text(
        '# why\n"a.b" = { title = "a, 5", ceiling = 20.5, goal = 2 }\n"a" = { title = "b", ceiling = 4 }\n'
    )
    figures = [Figure("a.b", 10.5), Figure("a", 6)]
    limits = read_limits(path)
    assert limits["a.b"] == Limit("a, 5", 20.5, 2)
    assert [f.key for f in above(figures, limits)] == ["a"]
    assert [f.key for f in slack(figures, limits)] == ["a.b"]
    assert lower(figures, path) == ["a.b: 20.5 -> 10.5"]
    assert [limit.ceiling for limit in read_limits(path).values()] == [10.5, 4]
    assert path.read_text().startswith("# why\n")
