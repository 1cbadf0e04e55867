"""Moments by which somebody may enter or leave a scenario of an app. Pure."""

from __future__ import annotations

from collections.abc import Collection

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.entry_facts import kind_of
from shared.models.person_moment import PersonMoment

EXIT_KINDS = frozenset({"basket", "bought"})
PERSON_KINDS = frozenset({"joined", "erased"})


def kinds_that_matter(rules: AppRules) -> frozenset[str]:
    """Return the kinds of facts by which somebody may enter or leave a scenario of the app."""
    entries = {kind_of(one.own.entry) for one in rules.entering()}
    exits = EXIT_KINDS if rules.present else frozenset()
    return PERSON_KINDS | exits | {kind for kind in entries if kind is not None}


def matters(moment: PersonMoment, kinds: Collection[str]) -> bool:
    # Without `seenAt` the person had no profile any more.
    return moment.seen_at is None or any(fact.kind in kinds for fact in moment.facts)
