"""Share of people whose texts don't render, from which on a send is refused."""

from __future__ import annotations

BAD_SHARE = 0.2


def bad_share_message(bad: int, people: int, fault: str) -> str:
    """Return the message about texts that don't render, with the first fault."""
    first = f"; the first: {fault}" if fault else ""
    return f"{bad} of {people} people's texts don't render{first}"
