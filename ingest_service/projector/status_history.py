"""What a browser said of its players, in its own order: the material of the ledger's history. Pure.

A word that says the same as the one before is not kept, so a history is made of changes. It follows
from the browser's events alone; the ledger joins the words of all browsers by their stamps.
"""

from __future__ import annotations

from ingest_service.projector.lww import Document, latest_per_key, stamped
from shared.models.event import Event

HISTORY = 10  # words kept of a player
MOVED = "moved"


def add_status_change(words: dict[str, list[Document]], player: str, word: Document) -> None:
    """`word`: `{"state", "reason", "person", "at", "event"}`."""
    said = words.get(player, [])
    if not said or not _says_the_same(said[-1], word):
        words[player] = [*said, word][-HISTORY:]


def word(event: Event, state: str, reason: str | None, person: str) -> Document:
    return stamped(event, state=state, reason=reason, person=person)


def move_history(words: dict[str, list[Document]], event: Event, person: str) -> None:
    """The browser is another person's now, and its players with it."""
    for player, said in list(words.items()):
        if not said:  # all that was said came of somebody erased
            continue
        add_status_change(words, player, word(event, said[-1]["state"], MOVED, person))


def join_histories(*lists: list[Document]) -> list[Document]:
    """Oldest first; whichever list a word came in, and however often."""
    return latest_per_key((w for one in lists for w in one), by="event", limit=HISTORY)[::-1]


def _says_the_same(last: Document, new: Document) -> bool:
    if (last["state"], last["person"]) != (new["state"], new["person"]):
        return False
    return bool(last["reason"] in (new["reason"], MOVED))
