"""Errors of a start: one sentence and an exit code."""

from __future__ import annotations

EXIT_FAILED = 1  # a part failed
EXIT_REFUSED = 2  # nothing was started: a setting, a port or the data folder is in the way


class LaunchError(Exception):
    """Error that ends the start, with a sentence for the operator and the exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ChildDied(LaunchError):
    """Error of a child that ended before it was ready."""


class NotReady(Exception):
    """Error of a probe while the child isn't ready, with the reason."""


class NotWriting(NotReady):
    """Error of a database that answers, but stores nothing."""
