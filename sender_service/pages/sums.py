"""Sums of a page, computed from its members. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sender_service.models.sums import Sums
from sender_service.pages.chunk import Chunk
from sender_service.pages.document import MemberState, PageDocument

_PEOPLE_ORDER: tuple[MemberState, ...] = ("sent", "pending", "failed", "suppressed")
_PLACES = {outcome: place for place, outcome in enumerate(_PEOPLE_ORDER)}
_Ending = tuple[Any, ...]  # outcome, reason, and the detail where there is one


def summarise(page: PageDocument) -> Sums:
    """Compute the sums from the members; they are never incremented."""
    own: dict[int, _Ending] = {int(i): tuple(end) for i, end in page["outcomes"].items()}
    by_chunk = {name: Chunk(of).outcome for name, of in page["chunks"].items()}
    endings: dict[_Ending, int] = {}
    people: dict[str, int] = {}
    for index, (player, person, chunk) in enumerate(page["members"]):
        ending = own.get(index)
        if ending is None:
            ending = by_chunk[chunk]
        endings[ending] = endings.get(ending, 0) + 1
        place = _PLACES[ending[0]]
        who = person or player  # nobody knows who an unknown player is: one each
        if place < people.get(who, len(_PEOPLE_ORDER)):
            people[who] = place
    return _to_sums(endings, Counter(people.values()), page["noPlayer"])


def _to_sums(endings: dict[_Ending, int], people: Counter[int], no_player: int) -> Sums:
    sums = Sums()
    for (outcome, reason, *details), count in endings.items():
        sums.audience += count
        if outcome == "sent":
            sums.sent += count
        elif outcome == "pending":
            sums.pending += count
        else:
            reasons = sums.failed if outcome == "failed" else sums.suppressed
            reasons[reason or "unknown"] = reasons.get(reason or "unknown", 0) + count
        for detail in details:
            sums.not_applicable[detail] = sums.not_applicable.get(detail, 0) + count
    for place, count in people.items():
        sums.people[_PEOPLE_ORDER[place]] = count
    sums.people["no_player"] = no_player
    return sums
