"""Output to a terminal, a file or a pipe."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable

EXIT_CLOSED_PIPE = 128 + signal.SIGPIPE  # as of a program that the signal ended


def replace_unwritable() -> None:
    """Replace letters that a standard stream's encoding lacks by a sign; raise nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run_to_pipe(main: Callable[[], int]) -> int:
    """Return what `main` returns; end quietly where the reader of its output has gone (`| head`)."""
    try:
        try:
            return main()
        finally:  # also of `--help`, which ends by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return EXIT_CLOSED_PIPE


def _drop_output() -> None:
    """Send what is buffered nowhere."""
    # Else it fails again at the interpreter's end.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
