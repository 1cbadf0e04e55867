"""Look at a scenario's candidates while its send is planned: each carries what becomes of her."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Run
from sender_service.planner.target import Batch, Candidate


class PlanningLook(ABC):
    """Look at candidates. Methods raise StoreUnavailable, and MergeUnclear to be planned later."""

    __slots__ = ()

    @abstractmethod
    async def decide(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those of the candidates that the send is for, with their looks."""

    async def batches(self, read: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """Yield the batches with looks at their candidates."""
        async with aclosing(read) as batches:
            async for batch in batches:
                yield replace(batch, candidates=await self.decide(batch.candidates))

    async def begin(self, runs: Sequence[Run]) -> set[str]:
        """Begin these runs; return the persons who entered otherwise meanwhile."""
        return set()

    async def note_refused(self, counts: Mapping[str, int]) -> None:
        """Note whom the clock didn't enter, once all of the send is planned."""
        return


def with_look(candidate: Candidate, look: PushLook) -> Candidate:
    selections = tuple(
        replace(one, variables={**one.variables, **look.variables}) for one in candidate.selections
    )
    return replace(candidate, selections=selections, look=look)
