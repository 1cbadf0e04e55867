"""What a terminal, or whatever stands for it, can be written."""

from __future__ import annotations

import io
import sys


def replace_unwritable() -> None:
    """Let the standard streams write a sign for letters that their encoding lacks, and raise nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
