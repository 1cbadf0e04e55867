"""Logs of the children: bounded while they are written, and no child ends for a full disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

CHUNK = 64 * 1024


def open_log(path: Path) -> IO[bytes]:
    """Return the file to append to; on a full disk what is written is dropped."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def former(path: Path) -> Path:
    """Return the path of older lines: those of the run before, or of this one before its last bound."""
    return path.with_suffix(".1.log")


def bound_log(path: Path, most: int) -> bool:
    """Move a log that is larger than `most` bytes to `.1.log`; return whether it was."""
    # Its writer keeps the file open, so it is copied and cut off: lines between the two are lost, and all
    # of them on a full disk.
    try:
        if path.stat().st_size <= most:
            return False
        with suppress(OSError):
            shutil.copyfile(path, former(path))
        os.truncate(path, 0)
    except OSError:
        return False
    return True


async def pump(source: asyncio.StreamReader, path: Path) -> None:
    """Append what a child writes until it ends, for one that ends when its own write fails."""
    while chunk := await source.read(CHUNK):
        with suppress(OSError), open_log(path) as out:
            out.write(chunk)
