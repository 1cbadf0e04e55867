"""Sums of a page, send or report: audience = sent + pending + suppressed + failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

PLACES_OF_PEOPLE = ("sent", "pending", "failed", "suppressed", "no_player")


class SumsDocument(TypedDict):
    """Sums as pages, sends and reports store them, and as answers show them."""

    audience: int
    sent: int
    pending: int
    suppressed: dict[str, int]
    failed: dict[str, int]
    people: dict[str, int]
    notApplicable: dict[str, int]


def _no_people() -> dict[str, int]:
    return dict.fromkeys(PLACES_OF_PEOPLE, 0)


@dataclass(slots=True)
class Sums:
    """Counts of players by outcome; `suppressed` and `failed` by reason.

    `not_applicable`: by detail, those suppressed for this reason.
    """

    audience: int = 0
    sent: int = 0
    pending: int = 0
    suppressed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=_no_people)  # one place a person
    not_applicable: dict[str, int] = field(default_factory=dict)

    def add(self, more: Sums) -> None:
        self.audience += more.audience
        self.sent += more.sent
        self.pending += more.pending
        _add_counts(self.suppressed, more.suppressed)
        _add_counts(self.failed, more.failed)
        _add_counts(self.people, more.people)
        _add_counts(self.not_applicable, more.not_applicable)


def _add_counts(total: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def encode_sums(sums: Sums) -> SumsDocument:
    return {
        "audience": sums.audience,
        "sent": sums.sent,
        "pending": sums.pending,
        "suppressed": sums.suppressed,
        "failed": sums.failed,
        "people": sums.people,
        "notApplicable": sums.not_applicable,
    }


def decode_sums(document: SumsDocument) -> Sums:
    return Sums(
        document["audience"],
        document["sent"],
        document["pending"],
        document["suppressed"],
        document["failed"],
        document["people"],
        document["notApplicable"],
    )
