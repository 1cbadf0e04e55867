"""The campaign's report against its sends' accounts, what MongoDB has, and what browsers did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.webhook_proxy import Seen

PLURAL = {"impression": "impressions", "click": "clicks", "close": "closes"}
BREAKDOWNS = ("variants", "browsers")


def differences(
    report: Mapping[str, Any], accounts: list[Mapping[str, Any]], seen: list[Seen]
) -> Iterator[str]:
    """Compare with all of the campaign's sends; `seen` are theirs, as MongoDB has them."""
    kinds = Counter(kind for of_send in seen for _, kind in of_send)
    expected: dict[str, Any] = {"sends": len(accounts), "breakdownPending": 0}
    expected |= {name: sum(a[name] for a in accounts) for name in ("audience", "sent", "pending")}
    expected |= {name: _summed(a[name] for a in accounts) for name in ("suppressed", "failed")}
    expected |= {plural: kinds[kind] for kind, plural in PLURAL.items()}
    for name, value in expected.items():
        if report[name] != value:
            yield f"the report says {report[name]} {name}, its sends {value}"
    for breakdown in BREAKDOWNS:
        for name in ("sent", *PLURAL.values()):
            total = sum(cell[name] for cell in report[breakdown])
            if total != expected[name]:
                yield f"by {breakdown} the report says {total} {name}, its sends {expected[name]}"


def out_of_bounds(
    report: Mapping[str, Any], accepted: list[Seen], tried: list[Seen]
) -> Iterator[str]:
    """Check that what was answered counts and what counts was tried.

    A try with a lost answer may count.
    """
    least, most = (Counter(kind for one in each for _, kind in one) for each in (accepted, tried))
    for kind, plural in PLURAL.items():
        if not least[kind] <= report[plural] <= most[kind]:
            yield f"{report[plural]} {plural}: {least[kind]} were answered, {most[kind]} tried"


def _summed(reasons: Any) -> dict[str, int]:
    total = Counter[str]()
    for each in reasons:
        total.update(each)
    return dict(total)
