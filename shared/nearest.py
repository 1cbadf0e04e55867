"""Known names near to a mistyped one: one rule for whatever people write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_COMPARED_LENGTH = 64  # a longer name is no slip of a known one, and comparing costs its square
SLIPS = 2  # letters that differ, are missing, too many or exchanged
MOST_LISTED = 10  # names, where none is near
_SEPARATORS = str.maketrans("", "", "_-. ")


def is_near(name: str, known: str) -> bool:
    """Check whether a name is at most two slips, and less than half of it, from a known one."""
    # Short names are near to almost anything: `kind` isn't a slip of `id`.
    most = max(1, min(SLIPS, len(known) // 2))
    return distance(name, known, most) <= most


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is meant, or None where nothing is like it.

    Letters' case and separators don't count, and of a long name a third may differ.
    """
    bare = _bare(name)
    best: tuple[int, str] | None = None
    for one in known:
        other = _bare(one)
        if other == bare:
            return one
        most = max(1, min(SLIPS, len(other) // 2), len(other) // 3)
        slips = distance(bare, other, most if best is None else min(most, best[0] - 1))
        if slips <= most and (best is None or slips < best[0]):
            best = slips, one
    return None if best is None else best[1]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean `sendAt`?", or nothing where nothing is like it."""
    meant = nearest(name, known)
    return "" if meant is None else f"; did you mean `{meant}`?"


def suggest(name: str, known: Sequence[str]) -> str:
    """Return "; did you mean `demo`?", or where nothing is like it "; there are demo, second"."""
    if not known:
        return "; there is none yet"
    some = ", ".join(sorted(known)[:MOST_LISTED])
    more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
    listed = f"; there is only {some}" if len(known) == 1 else f"; there are {some}{more}"
    return did_you_mean(name, known) or listed


def distance(one: str, other: str, most: int) -> int:
    """Return how many slips lie between two names, or `most + 1` where it is more.

    A slip is a letter that differs, is missing or too many, or two neighbours exchanged.
    """
    if abs(len(one) - len(other)) > most or max(len(one), len(other)) > MAX_COMPARED_LENGTH:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, sign in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            slips = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (sign != against))
            is_exchanged = i > 1 and j > 1 and sign == other[j - 2] and one[i - 2] == against
            row.append(min(slips, before[j - 2] + 1) if is_exchanged else slips)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


def _bare(name: str) -> str:
    return name[: MAX_COMPARED_LENGTH + 1].translate(_SEPARATORS).casefold()
