"""Screen of the operator: a line for each thing that happens, and at last a summary."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

GREEN, YELLOW, RED, DIM, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


class Screen:
    """Writer to the terminal. It never fails."""

    # A terminal that was closed must not keep the launcher from stopping its parts.

    def __init__(self, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> None:
        self._out = out
        self._err = err
        self._begin = time.monotonic()

    def show(self, text: str) -> None:
        self._line(self._out, "", text)

    def good(self, text: str) -> None:
        self._line(self._out, GREEN, text)

    def warn(self, text: str) -> None:
        self._line(self._out, YELLOW, text)

    def fail(self, text: str) -> None:
        self._write(self._err, _paint(self._err, RED, text) + "\n")

    def page(self, text: str) -> None:
        self._write(self._out, "\n" + text + "\n\n")

    def _line(self, to: TextIO, colour: str, text: str) -> None:
        at = _paint(to, DIM, f"{time.monotonic() - self._begin:6.1f} s")
        self._write(to, f"{at}  {_paint(to, colour, text)}\n")

    def _write(self, to: TextIO, text: str) -> None:
        try:
            to.write(text)
            to.flush()
        except (OSError, ValueError):
            # The reader is gone; what is buffered must not fail again at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), to.fileno())


def _paint(to: TextIO, colour: str, text: str) -> str:
    return (
        f"{colour}{text}{PLAIN}"
        if colour and to.isatty() and "NO_COLOR" not in os.environ
        else text
    )
