"""What a terminal, or whatever stands for it, can be written."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable

EXIT_CLOSED_PIPE = 128 + signal.SIGPIPE  # as of a program that the signal ended


def replace_unwritable() -> None:
    """Let the standard streams write a sign for letters that their encoding lacks, and raise nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run_to_pipe(main: Callable[[], int]) -> int:
    """Return what `main` returns; where the reader of its output has gone (`| head`), end quietly."""
    try:
        try:
            return main()
        finally:  # also of `--help`, which ends by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return EXIT_CLOSED_PIPE


def _drop_output() -> None:
    """Let what is buffered go nowhere, else it fails again at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
