"""`make run` on a machine as it is: what it installs, and what it says where it can't."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "a shop's carillon"
    copy.mkdir()
    shutil.copy(ROOT / "Makefile", copy)
    shutil.copytree(ROOT / "requirements", copy / "requirements")
    return copy


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def install(folder: Path) -> None:
    """Mark all as installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=folder, check=True)
    for stamp in (".installed-run", ".installed"):
        (folder / ".venv" / stamp).touch()


def test_n16_run_installs_only_what_it_needs(folder: Path) -> None:
    ran = make(folder, "-n", "run").stdout
    assert "requirements/run.txt" in ran and "requirements/embedded.txt" in ran
    assert "requirements/dev.txt" not in ran
    tested = make(folder, "-n", "check").stdout
    assert "requirements/run.txt" in tested and "requirements/dev.txt" in tested


def test_n15_a_renamed_folder_is_installed_anew(folder: Path) -> None:
    install(folder)
    assert "-m venv" not in make(folder, "-n", "run").stdout
    renamed = folder.rename(folder.with_name("renamed"))
    for target in ("run", "check"):
        assert "-m venv --clear" in make(renamed, "-n", target).stdout


def test_n15_a_shared_environment_is_left_alone(folder: Path) -> None:
    install(folder)
    (folder / ".venv").rename(folder.parent / "shared")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder.parent / "shared"], check=True
    )
    (folder / ".venv").symlink_to(folder.parent / "shared")
    assert "-m venv" not in make(folder, "-n", "run").stdout


def test_n15_no_venv_is_a_sentence_and_leaves_none_behind(folder: Path) -> None:
    # As on Debian without python3-venv, which leaves a folder that has no pip.
    python = folder / "python-without-venv"
    python.write_text(
        '#!/bin/sh\ncase "$*" in *"-m venv"*) mkdir -p .venv/bin;'
        f' ln -sf "{sys.executable}" .venv/bin/python; exit 1;; esac\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    for _ in range(2):
        ended = make(folder, "run", f"PYTHON=./{python.name}")
        assert ended.returncode != 0
        assert "apt-get install python3-venv" in ended.stdout
        assert not (folder / ".venv").exists()
