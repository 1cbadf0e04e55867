"""Look at a person before a scenario's push: whether it goes, and what it is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sender_service.models.scenario.run import ItemClaim, Run
from shared.reasons import NotApplicable, SuppressedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLook:
    """Decision about a person's push. `why_not`: None where it goes.

    `about`: items that it is about; `variables`: of its texts. `is_unclear`: she was merged into
    somebody whose profile may not show it yet. Where the clock enters: `refused`: why she isn't in the
    audience at all; `run`: the run that begins.
    """

    why_not: NotApplicable | Literal["bought"] | None = None
    about: tuple[ItemClaim, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    is_unclear: bool = False
    refused: str | None = None
    run: Run | None = None

    @property
    def reason(self) -> SuppressedReason:
        """Return the reason of who doesn't get the push."""
        return "bought" if self.why_not == "bought" else "not_applicable"

    @property
    def without_prices(self) -> tuple[ItemClaim, ...]:
        """Return the items for texts that show none of them, so that any price may change."""
        return tuple(replace(one, price=None) for one in self.about)
