"""Limits of rendering, counted in steps of about 0.1 µs.

A count is the same on every machine. Whatever grows with its input (a loop, a filter, a comparison,
a list) is charged before it runs. The clock is a second limit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

PUSH_STEPS = 100_000  # of all texts that one person gets: about 10 ms
CLOCK_EVERY = 10_000  # steps between two looks at the clock
PUSH_SECONDS = 0.25  # of the processor, whatever the count says
CHARACTERS_A_STEP = 8  # copied, compared or searched
_KIND_WORDS = {
    str: "a text", bool: "a yes or no", int: "a number", float: "a number", dict: "an object",
    list: "a list", tuple: "a list", type(None): "null",
}  # fmt: skip
_SCALARS = frozenset({int, float, bool, type(None)})
_CONTAINERS: tuple[type, ...] = (
    dict,
    list,
    tuple,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


class TextFault(ValueError):
    """A text that can't be rendered. The message gives the reason and contains no values."""


class NamedFault(TextFault):
    """A fault whose message names the variable."""


class StepsSpent(TextFault):
    """An exceeded step limit."""


def kind_of(value: object) -> str:
    """Return what sort of value it is, in words of the text's author."""
    return _KIND_WORDS.get(type(value), "a value")


class Meter:
    """Counts the steps of one rendering at a time: rendering never waits."""

    def __init__(self) -> None:
        self.left = 0
        self._limit = 0
        self._look_at = 0
        self._deadline = 0.0

    def start(self, steps: int = PUSH_STEPS) -> None:
        """Start counting, with at most so many steps."""
        self.left = self._limit = steps
        self._look_at = steps - CLOCK_EVERY
        self._deadline = 0.0

    @property
    def spent(self) -> int:
        """Steps since the start, at most the limit."""
        return self._limit - max(self.left, 0)

    @property
    def is_empty(self) -> bool:
        return self.left < 0

    def charge(self, steps: int) -> None:
        """Count these steps. Raises StepsSpent."""
        self.left -= steps
        if self.left < self._look_at:
            self._look()

    def charge_for(self, value: Any) -> Any:
        """Charge for one pass through the value, and return it. Raises StepsSpent."""
        if type(value) not in _SCALARS:
            self.charge(self.weigh(value))
        return value

    def weigh(self, value: Any) -> int:
        """Return the steps of one pass through the value; stop soon after the steps left.

        A value that occurs twice counts twice: `[a, a]`, nested again and again, is endless.
        Lengths of keys don't count: a dict stores each of them once.
        """
        if isinstance(value, str):
            return 1 + len(value) // CHARACTERS_A_STEP
        if not isinstance(value, _CONTAINERS):
            return 1
        waiting: list[Any] = [value]
        steps = 0
        while waiting:
            inner = waiting.pop()
            steps += 1 + 2 * len(inner)
            if steps > self.left:
                break
            for one in inner.values() if isinstance(inner, dict) else inner:
                kind = type(one)
                if kind is str:
                    steps += len(one) // CHARACTERS_A_STEP
                elif kind not in _SCALARS and isinstance(one, _CONTAINERS):
                    waiting.append(one)
        return steps

    def each(self, items: Iterable[Any], steps: int) -> Iterator[Any]:
        """Yield the items, and charge so many steps for each. Raises StepsSpent."""
        for item in items:
            self.charge(steps)
            yield item

    def _look(self) -> None:
        self._look_at = self.left - CLOCK_EVERY
        now = time.thread_time()
        self._deadline = self._deadline or now + PUSH_SECONDS  # few texts ever get here
        if self.left < 0 or now > self._deadline:
            self.left = self._look_at = -1
            raise StepsSpent("the texts take too many steps")


meter = Meter()
