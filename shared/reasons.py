"""Outcomes of a player or a call, and their reasons: each reason is declared here and nowhere else.

docs/design.md 4.3 pins them, and docs/troubleshooting.md explains them; a test compares the three.
"""

from __future__ import annotations

from typing import Literal, TypeGuard, get_args

DeliveryOutcome = Literal["sent", "failed", "suppressed", "deferred"]

# Nothing was sent to the player.
SuppressedReason = Literal[
    "unsubscribed", "invalid", "holdout", "capped", "browser_policy", "unproven", "moved", "erased",
    "expired", "bought", "not_applicable", "cancelled", "refused",
]  # fmt: skip
# Why a scenario's push is `not_applicable` to the person any more. `bought` is a reason of its own.
NotApplicable = Literal[
    "emptied", "bought_item", "out_of_stock", "stale", "price_back", "price_changed", "active",
    "nothing_to_offer", "exited",
]  # fmt: skip
# The provider was called, or would have been with a text that renders.
FailedReason = Literal["invalid_player", "bad_variables", "rejected", "no_answer", "stream"]
# A provider's answer after which the same call is repeated under its key.
RetryReason = Literal["rate_limited", "server_error", "unclear", "no_answer"]
# The call comes later: it wasn't made, was refused for the whole app, or is repeated.
DeferredReason = Literal["not_called", "stopped", "refused", RetryReason]

FinalReason = Literal[SuppressedReason, FailedReason]
Reason = Literal[FinalReason, DeferredReason]
_ONLY_DEFERRED: frozenset[str] = frozenset(get_args(DeferredReason)) - frozenset(
    get_args(FinalReason)
)


def is_final(reason: Reason | None) -> TypeGuard[FinalReason]:
    """Return whether a player or a chunk can end for this reason."""
    # One that only a newer sender knows is final too: no deferral needs its name.
    return reason is not None and reason not in _ONLY_DEFERRED
