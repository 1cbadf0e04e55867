"""History of a person folded: her profile after each of her moments, and whether it shows all. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sender_service.models.decide.folding import fold_profile
from sender_service.models.scenario.history import HeardMoment, History
from shared.documents.profile import Profile

LeftOut = Literal["merged", "parted", "cut", "gone", "too_much"]


def why_left_out(history: History, today: Profile | None) -> LeftOut | None:
    """Return why a history doesn't show all that the person did; None: it does.

    What a merged person did before stands under another name, which may be in no history.
    """
    kinds = {fact.kind for heard in history.moments for fact in heard.moment.facts}
    if "joined" in kinds:
        return "merged"
    if today is None:
        return "gone"
    if "parted" in kinds:
        return "parted"
    return "cut" if history.is_cut else None


@dataclass(slots=True)
class FoldedHistory:
    """History with the person's profile after each of its moments, made when it is needed.

    `today` gives what no fact shows: language, browser, login, tags.
    """

    history: History
    today: Profile
    _profiles: dict[int, Profile] = field(default_factory=dict, init=False)

    def profile(self, count: int) -> Profile:
        """Return the profile after the first `count` moments, at least one."""
        if count not in self._profiles:
            moments = [heard.moment for heard in self.history.moments[:count]]
            self._profiles[count] = fold_profile(moments, self.today)
        return self._profiles[count]

    def subscribed(self, count: int) -> int:
        """Return how many players she had after the first `count` moments."""
        known = [one.moment for one in self.history.moments[:count] if one.moment.seen_at]
        return known[-1].subscribed if known else 0

    def batch(self, start: int) -> Sequence[HeardMoment]:
        """Return the moments from a place on that were read together."""
        moments = self.history.moments
        end = start
        while end < len(moments) and moments[end].at == moments[start].at:
            end += 1
        return moments[start:end]
