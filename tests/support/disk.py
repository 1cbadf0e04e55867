"""A disk that is really full: a small file system of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 4_096


def can_mount() -> bool:
    """Check whether this process may mount: root on Linux, outside a container that forbids it."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    probe = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return probe.returncode == 0


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """Yield a tmpfs on the folder. Skips the test, by name, where nothing may be mounted."""
    if not can_mount():
        pytest.skip("no small disk: mounting a tmpfs is not permitted here")
    folder.mkdir(parents=True)
    options = f"size={mebibytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        # Lazy: what a process of the test still holds open keeps nobody waiting.
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left; return the file that has it."""
    filler = disk / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while True:
            os.write(descriptor, bytes(BLOCK))
    except OSError:
        return filler
    finally:
        os.close(descriptor)
