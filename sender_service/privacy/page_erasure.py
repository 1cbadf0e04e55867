"""Rules that blank an erased person in a page and its rendered texts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sender_service.models.erased_names import is_blank, marker
from sender_service.pages.chunk import root_of
from sender_service.pages.document import Member
from sender_service.pages.page import Page


def blank_members(
    page: Page, is_gone: Callable[[Member], bool], now: datetime, *, wait: bool
) -> bool:
    """Blank the erased members; return whether some keep their names for now.

    With `wait`, members of a call in progress keep their names, so that its answer finds them.
    Chunks without a call are never called. A call with an unknown outcome is repeated, if at all,
    without the person.
    """
    under_way = False
    persons: dict[str, str] = {}
    touched: set[str] = set()
    for index, member in enumerate(page.members):
        if not is_gone(member):
            continue
        if page.outcome(index)[0] == "pending":
            chunk = page.chunk_name(index)
            if wait and page.chunks[chunk].is_called:
                under_way = True
                continue
            page.suppress(index, "erased")
            touched.add(chunk)
        page.blank(index, marker(), persons.setdefault(page.person(index), marker()))
    for chunk in touched:
        if not page.pending(chunk):
            page.suppress_chunk(chunk, "erased", now)
    return under_way


def orphaned_bodies(page: Page) -> list[int]:
    """Return the indexes of rendered texts that only erased people would have got."""
    roots: dict[str, bool] = {}
    for member in page.members:
        if member[2]:
            root = root_of(member[2])
            roots[root] = roots.get(root, True) and is_blank(member)
    return [int(root) for root, is_orphaned in roots.items() if is_orphaned]
