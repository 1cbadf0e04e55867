"""Which names and players were met, and where: in 16 to 32 bytes each, whatever their length."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

FIRST_SIZE = 1 << 10
MASK = (1 << 64) - 1


class TextHashSet:
    """Remembers 64-bit hashes. Of two million texts any two are taken for one at odds of 1 to ten
    million; a set of the texts themselves would take ten times the memory."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._slots = array("Q", bytes(8 * FIRST_SIZE))
        self._count = 0
        self.update(texts)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: object) -> bool:
        return self._slots[self._place(_hash(text))] != 0

    def add(self, text: str) -> bool:
        """False when it was there before."""
        hashed = _hash(text)
        place = self._place(hashed)
        if self._slots[place]:
            return False
        self._slots[place] = hashed
        self._count += 1
        if self._count * 2 > len(self._slots):
            self._grow()
        return True

    def update(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.add(text)

    def _place(self, hashed: int) -> int:
        """Where it is, or would be."""
        slots = self._slots
        place = hashed & (len(slots) - 1)
        while slots[place] and slots[place] != hashed:
            place = (place + 1) & (len(slots) - 1)
        return place

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("Q", bytes(16 * len(before)))
        for hashed in before:
            if hashed:
                self._slots[self._place(hashed)] = hashed


class TextIndex(TextHashSet):
    """And a number below 2^32 with each text: 24 to 48 bytes."""

    def __init__(self) -> None:
        self._numbers = array("I", bytes(4 * FIRST_SIZE))
        super().__init__()

    def note(self, text: str, number: int) -> None:
        """The first one stays."""
        if self.add(text):
            self._numbers[self._place(_hash(text))] = number

    def number(self, text: str) -> int | None:
        place = self._place(_hash(text))
        return self._numbers[place] if self._slots[place] else None

    def _grow(self) -> None:
        slots, numbers = self._slots, self._numbers
        super()._grow()
        self._numbers = array("I", bytes(4 * len(self._slots)))
        for hashed, number in zip(slots, numbers, strict=True):
            if hashed:
                self._numbers[self._place(hashed)] = number


def _hash(text: object) -> int:
    """Never 0, which is an empty place. Python's own: another one in each process."""
    return (hash(text) & MASK) or 1
