"""Before a release: what changed since the page was planned is looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sender_service.models.page import PageEdit, pending_counts
from sender_service.models.policy import has_bought
from sender_service.models.send import Send
from sender_service.scheduler.release import policy_of, without_unreachable
from sender_service.store.people import PeopleReader

FEW = 200  # so many are looked up by id; of more, only what changed is read
OVERLAP = timedelta(minutes=2)  # changes are read from so long before the planning


async def look_again(
    people: PeopleReader, edit: PageEdit, chunks: Sequence[str], send: Send
) -> dict[str, int]:
    """Suppress whoever can't or shouldn't get it any more; returns the members left, by chunk."""
    await _without_moved(people, edit, chunks)
    await _without_buyers(people, edit, chunks, send)
    return pending_counts(edit.page, chunks)


async def _without_moved(people: PeopleReader, edit: PageEdit, chunks: Sequence[str]) -> None:
    page = edit.page
    players = [member[0] for member in page["members"] if member[2] in chunks]
    ledger = None
    if len(players) > FEW:
        ledger = await people.changed_since(page["app"], page["plannedAt"] - OVERLAP)
    if ledger is None:
        ledger = await people.ledger(page["app"], players)
    moved = without_unreachable(edit, set(chunks), ledger)
    owners = await people.by_players(page["app"], moved) if moved else {}
    for player in moved:
        index = edit.index_of(player)
        assert index is not None
        owner = owners.get(player)
        # Merged into the present owner is the same person under another name.
        if owner is None or page["members"][index][1] not in owner.get("aliases", []):
            edit.outcome(index, "suppressed", "moved")


async def _without_buyers(
    people: PeopleReader, edit: PageEdit, chunks: Sequence[str], send: Send
) -> None:
    since = policy_of(send).bought_since(send["createdAt"])
    if since is None:
        return
    page = edit.page
    persons = sorted({m[1] for m in page["members"] if m[2] in chunks})
    changed = None
    if len(persons) > FEW:
        changed = await people.profiles_since(page["app"], page["plannedAt"] - OVERLAP)
    if changed is None:
        changed = await people.profiles(page["app"], persons)
    buyers = {person for person, profile in changed.items() if has_bought(profile, since)}
    for index, (_, person, chunk) in enumerate(page["members"]):
        if person in buyers and chunk in chunks and str(index) not in page["outcomes"]:
            edit.outcome(index, "suppressed", "bought")
