"""Result of a dry run: what a send would come to, with samples of its pushes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.push import Push
from sender_service.models.sums import Sums
from sender_service.planner.bad_share import BAD_SHARE
from sender_service.planner.dry_run_limits import SAMPLES

Text = tuple[str, bytes]  # provider, hash


@dataclass(frozen=True)
class Sample:
    """Push of one player. `language` is the person's."""

    player: str
    language: str
    variant: str
    provider: str
    push: Push


@dataclass
class DryRunResult:
    """Result for the planned part of the audience; `share` is 1 when that is all of it."""

    sums: Sums = field(default_factory=Sums)
    calls: int = 0
    split: int = 0  # calls that differ from another one only in their links
    # Messages by provider and by all but their links.
    texts: Counter[Text] = field(default_factory=Counter)
    people: int = 0
    bad: int = 0
    no_zone: int = 0  # people whose quiet hours would follow UTC: no other zone is known
    fault: str = ""  # the first
    too_dear: bool = False  # planning would end here, and refuse the send
    share: float = 0.0
    quiet: int = 0  # messages that would wait for the end of quiet hours
    quiet_until: datetime | None = None
    samples: dict[str, Sample] = field(default_factory=dict)  # the first of each language
    most_samples: int = SAMPLES
    spare: list[Sample] = field(default_factory=list)

    @property
    def best_samples(self) -> list[Sample]:
        """Samples to render, at most `most_samples`; one of each language comes first."""
        return [*self.samples.values(), *self.spare][: self.most_samples]

    def whole(self, count: int) -> int:
        """Extrapolate a count to the whole audience, where only a part of it was planned."""
        return count if self.share >= 1 or self.share == 0 else round(count / self.share)

    @property
    def too_many_bad(self) -> bool:
        return self.bad > self.people * BAD_SHARE
