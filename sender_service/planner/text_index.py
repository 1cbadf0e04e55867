"""Compact sets and indexes of texts: 16 to 32 bytes each, whatever their length."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

FIRST_SIZE = 1 << 10
UINT64_MASK = (1 << 64) - 1


class TextHashSet:
    """Set of 64-bit hashes of texts."""

    # Among two million texts a collision has odds of 1 to ten million. A set of the texts themselves
    # would take ten times the memory.

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._slots = array("Q", bytes(8 * FIRST_SIZE))
        self._count = 0
        self.update(texts)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: object) -> bool:
        return self._slots[self._slot_of(_hash(text))] != 0

    def add(self, text: str) -> bool:
        """Add the text; return False when it was present."""
        hashed = _hash(text)
        slot = self._slot_of(hashed)
        if self._slots[slot]:
            return False
        self._slots[slot] = hashed
        self._count += 1
        if self._count * 2 > len(self._slots):
            self._grow()
        return True

    def update(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.add(text)

    def _slot_of(self, hashed: int) -> int:
        """Return the slot of the hash, or the free slot where it belongs."""
        slots = self._slots
        slot = hashed & (len(slots) - 1)
        while slots[slot] and slots[slot] != hashed:
            slot = (slot + 1) & (len(slots) - 1)
        return slot

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("Q", bytes(16 * len(before)))
        for hashed in before:
            if hashed:
                self._slots[self._slot_of(hashed)] = hashed


class TextIndex(TextHashSet):
    """Index of texts to numbers below 2^32; a text takes 24 to 48 bytes."""

    def __init__(self) -> None:
        self._numbers = array("I", bytes(4 * FIRST_SIZE))
        super().__init__()

    def note(self, text: str, number: int) -> None:
        """Store the number of a text; of several the first stays."""
        if self.add(text):
            self._numbers[self._slot_of(_hash(text))] = number

    def number(self, text: str) -> int | None:
        slot = self._slot_of(_hash(text))
        return self._numbers[slot] if self._slots[slot] else None

    def _grow(self) -> None:
        slots, numbers = self._slots, self._numbers
        super()._grow()
        self._numbers = array("I", bytes(4 * len(self._slots)))
        for hashed, number in zip(slots, numbers, strict=True):
            if hashed:
                self._numbers[self._slot_of(hashed)] = number


def _hash(text: object) -> int:
    """Return Python's hash, which differs between processes. It is never 0, an empty slot."""
    return (hash(text) & UINT64_MASK) or 1
