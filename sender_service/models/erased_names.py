"""Names that stand for an erased person's: random, so that nobody can be followed by them. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

MARK = "erased-"


def marker() -> str:
    return MARK + uuid.uuid4().hex[:16]


def is_blank(member: Sequence[str]) -> bool:
    """Return whether a page's member has been erased."""
    return member[0].startswith(MARK)
