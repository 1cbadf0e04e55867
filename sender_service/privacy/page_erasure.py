"""Rules that blank an erased person in a page and its rendered texts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sender_service.models.erased_names import is_blank, marker
from sender_service.pages.page import Page, PageEdit, outcome_of, pending_members, root_of


def blank_members(
    edit: PageEdit, is_gone: Callable[[list[str]], bool], now: datetime, *, wait: bool
) -> bool:
    """Blank the erased members; return whether some keep their names for now.

    With `wait`, members of a call in progress keep their names, so that its answer finds them.
    Chunks without a call are never called. A call with an unknown outcome is repeated, if at all,
    without the person.
    """
    under_way = False
    persons: dict[str, str] = {}
    touched: set[str] = set()
    for index, member in enumerate(edit.page["members"]):
        if not is_gone(member):
            continue
        if outcome_of(edit.page, index)[0] == "pending":
            if wait and _is_called(edit.page, member[2]):
                under_way = True
                continue
            edit.outcome(index, "suppressed", "erased")
            touched.add(member[2])
        person = persons.setdefault(member[1], marker())
        member[:] = [marker(), person if member[1] else "", member[2]]
        edit.changes["members"] = edit.page["members"]
    for chunk in touched:
        if not pending_members(edit.page, chunk):
            edit.chunk(chunk, state="suppressed", reason="erased", at=now)
    return under_way


def _is_called(page: Page, chunk: str) -> bool:
    state = page["chunks"][chunk]
    return state["attempted"] or state["state"] == "released"


def orphaned_bodies(page: Page) -> list[int]:
    """Return the indexes of rendered texts that only erased people would have got."""
    roots: dict[str, bool] = {}
    for member in page["members"]:
        if member[2]:
            root = root_of(member[2])
            roots[root] = roots.get(root, True) and is_blank(member)
    return [int(root) for root, is_orphaned in roots.items() if is_orphaned]
