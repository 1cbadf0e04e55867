"""Players that changed owners while a send was planned: each stays in one page."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from sender_service.pages.document import END
from sender_service.pages.page import NO_TIMEOUT, Page
from sender_service.store.pages import PageStore
from sender_service.store.people import MovedPlayer
from shared.ids import slot_of


@dataclass(frozen=True, slots=True)
class MovedPlayers:
    """Finds and suppresses moved players. `index`: cursor and id of each of the send's pages."""

    pages: PageStore
    index: list[tuple[Any, str]]

    async def pages_with(self, player: MovedPlayer) -> list[Page]:
        """Return the pages that contain the player."""
        people = {player.owner, *player.past_owners}
        cursors = [tuple(cursor) for cursor, _ in self.index]
        places = {bisect_left(cursors, (slot_of(person), person)) for person in people}
        # Latecomers' own pages come after the end; they are few.
        ids = {self.index[at][1] for at in places if at < len(self.index)}
        ids |= {page for cursor, page in self.index if list(cursor) == END}
        pages = await self.pages.get_many(sorted(ids))
        return [page for page in pages.values() if page.index_of(player.id) is not None]

    async def keep_in_one_page(self, player: MovedPlayer, pages: list[Page]) -> None:
        """Suppress the player in all pages but its present owner's."""
        for page in pages:
            while not await self._suppress(page, player):
                page = await self.pages.get(page.id) or page

    async def _suppress(self, page: Page, player: MovedPlayer) -> bool:
        """Suppress the player unless the owner has it; return False when the page has changed since."""
        at = page.index_of(player.id)
        if at is None or page.person(at) == player.owner:
            return True
        page.suppress(at, "moved")
        return await self.pages.update(page, page.changes(NO_TIMEOUT))
